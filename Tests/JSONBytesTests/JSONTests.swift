import JSONBytes
import Testing

/// What is JSON and what is not, character by character.
@Suite struct JSONTests {
    static let accepted = [
        "{\"jobs\":[1,2,-3,0],\"a\":[],\"b\":[ ],\"c\":{}}", "{\"a\" : [ 1 , [2] , {\"b\":[3]} ] , \"d\" : [-0]}",
        "{ }",
        "null", "true", "false", "0", "-0", "1", "-1", "123456789", "0.5", "-0.5e-3", "1E5", "1e+5", "1e308", "1e-999",
        "-1.7976931348623157e308", "1.7976931348623157e308", "18446744073709551616", "-9223372036854775808",
        "123456789012345678901234567890", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
        "\"\\u00e9\\u00E9\"",
        "\"\\uD83D\\uDE00\"", "\"é😀\u{7F}\u{2028}\"", "\"\u{10FFFF}\"", "\"\u{FEFF}\"", "[]", "{}", "[1]", "[[]]",
        "[{},[],\"\",0]", "[ { \"a\" : [ true , false , null , -0.25 , 10.50 ] , \"b\" : { } } , [ ] ]",
        "{\"a\":1}", "{\"\":{}}", "{\"a\":1,\"a\":2}", " [ 1 , 2 ] ", "\n\r\t {\n\"a\"\t:\r1 } \n",
        "\"0123456789abcdef0123456789\"",
        "\"0123456789abcde\\n0123456789abcdef\"",
    ]

    @Test(arguments: accepted)
    func takes(_ text: String) throws {
        let json = try JSON(validating: Array(text.utf8))
        let trimmed = text.drop { " \n\r\t".contains($0) }.reversed().drop { " \n\r\t".contains($0) }.reversed()
        #expect(String(decoding: json.bytes, as: UTF8.self) == String(trimmed))
        // The same as an element among others.
        #expect(CommaSeparated.validate(Array("0,\(text),0".utf8), expectedCount: 3))
    }

    static let refused: [(String, JSONSyntaxError.Reason)] = [
        ("{\"a\":[1,]}", .invalidValue), ("{\"a\":[01]}", .missingCommaOrBracket),
        ("{\"a\":[1}", .missingCommaOrBracket),
        ("{\"a\":[1]", .unexpectedEnd), ("{\"a\":[1]]", .missingCommaOrBrace),
        ("[12345678901234567890e]", .invalidNumber),
        ("{\"a\":[1e999]}", .numberOutOfRange), ("{\"a\":[1],}", .missingName), ("{\"\\uD800\":[1]}", .loneSurrogate),
        ("", .empty), (" \n ", .empty), ("\u{FEFF}1", .byteOrderMark), ("[", .unexpectedEnd), ("[1", .unexpectedEnd),
        ("[1,", .unexpectedEnd), ("{", .unexpectedEnd), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
        ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,", .unexpectedEnd), ("\"", .unexpectedEnd), ("\"abc", .unexpectedEnd),
        ("tru", .unexpectedEnd), ("-", .unexpectedEnd), ("1.", .unexpectedEnd), ("1e", .unexpectedEnd),
        ("1e-", .unexpectedEnd),
        ("1 2", .trailingContent), ("1,", .trailingContent), ("[] x", .trailingContent), ("{}}", .trailingContent),
        ("[]]", .trailingContent), ("\"a\"\"", .trailingContent), ("1\0", .trailingContent), ("01", .trailingContent),
        ("-01", .trailingContent), ("1a", .trailingContent), ("0x1", .trailingContent), ("nullx", .trailingContent),
        ("null\u{A0}", .trailingContent), ("1\u{0C}", .trailingContent),
        ("]", .invalidValue), (",", .invalidValue), ("nul1", .invalidValue), ("NaN", .invalidValue),
        ("Infinity", .invalidValue),
        ("-Infinity", .invalidValue), ("+1", .invalidValue), (".5", .invalidValue), ("-.5", .invalidValue),
        ("True", .invalidValue),
        ("'a'", .invalidValue), ("\0", .invalidValue), ("[1,]", .invalidValue), ("[,1]", .invalidValue),
        ("[1,,2]", .invalidValue),
        ("{\"a\":}", .invalidValue), ("//\n1", .invalidValue), ("[/**/]", .invalidValue), ("é", .invalidValue),
        ("{1:2}", .missingName), ("{,}", .missingName), ("{\"a\":1,}", .missingName), ("{a:1}", .missingName),
        ("{\"a\" 1}", .missingColon), ("{\"a\",1}", .missingColon), ("{\"a\":1 \"b\":2}", .missingCommaOrBrace),
        ("{\"a\":1]", .missingCommaOrBrace), ("[1 2]", .missingCommaOrBracket), ("[1}", .missingCommaOrBracket),
        ("[1\0]", .missingCommaOrBracket), ("[1:2]", .missingCommaOrBracket), ("[01]", .missingCommaOrBracket),
        ("\"\\a\"", .invalidEscape), ("\"\\'\"", .invalidEscape), ("\"\\u12G4\"", .invalidEscape),
        ("\"\\u12\"", .invalidEscape),
        ("\"\\U0041\"", .invalidEscape), ("\"\\x41\"", .invalidEscape), ("\"\\uD800\"", .loneSurrogate),
        ("\"\\uD800a\"", .loneSurrogate), ("\"\\uD800\\u0041\"", .loneSurrogate),
        ("\"\\uD800\\uD800\"", .loneSurrogate),
        ("\"\\uDC00\"", .loneSurrogate), ("\"\\uDFFF\\uD800\"", .loneSurrogate), ("{\"\\uDC00\":1}", .loneSurrogate),
        ("\"a\nb\"", .controlCharacter), ("\"\t\"", .controlCharacter), ("\"a\0\"", .controlCharacter),
        ("\"\u{1F}\"", .controlCharacter),
        ("[1.]", .invalidNumber), ("[1.e5]", .invalidNumber), ("[1e]", .invalidNumber), ("[1e+]", .invalidNumber),
        ("[1.5.]", .missingCommaOrBracket), ("[-]", .invalidValue), ("[--1]", .invalidValue),
        ("1e309", .numberOutOfRange), ("-1e309", .numberOutOfRange), ("1e999", .numberOutOfRange),
        ("1.7976931348623159e308", .numberOutOfRange), ("[-1.7976931348623159e+308]", .numberOutOfRange),
        ("1e99999999999999999999", .numberOutOfRange),
        ("[{\"a\":tru}]", .invalidValue), ("[{\"a\":nulls}]", .missingCommaOrBrace), ("[{\"a\":1.}]", .invalidNumber),
        ("[{\"a\":-}]", .invalidValue), ("[{\"a\":01}]", .missingCommaOrBrace), ("[{\"a\":1,}]", .missingName),
        ("[{\"a\" 1}]", .missingColon), ("[{\"a\":1", .unexpectedEnd), ("[[1,2", .unexpectedEnd),
        ("[[1 2]]", .missingCommaOrBracket), ("[{\"a\":\"b]", .unexpectedEnd), ("[{\"a\":1e999}]", .numberOutOfRange),
    ]

    @Test(arguments: refused)
    func refuses(_ text: String, _ reason: JSONSyntaxError.Reason) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(validating: Array(text.utf8)) }
        #expect(error?.reason == reason)
        #expect((error?.offset ?? -1) <= text.utf8.count)
        #expect(!CommaSeparated.validate(Array(text.utf8), expectedCount: 1))
    }

    static let invalidUTF8: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x28, 0xA1],
        [0xE2, 0x82],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xF8, 0x88, 0x80, 0x80, 0x80],
    ]

    @Test(arguments: invalidUTF8)
    func refusesInvalidUTF8(_ sequence: [UInt8]) {
        for padding in [0, 1, 15, 16, 17, 40] {
            let head = Array("[\"".utf8) + [UInt8](repeating: 0x61, count: padding)
            #expect(throws: JSONSyntaxError(reason: .invalidUTF8, offset: head.count)) {
                try JSON(validating: head + sequence + Array("b\"]".utf8))
            }
            // Cut off in the middle of a character.
            #expect(throws: JSONSyntaxError.self) { try JSON(validating: head + sequence) }
        }
        #expect(throws: JSONSyntaxError.self) { try JSON(validating: sequence) }
    }

    @Test func everyControlCharacterMustBeEscaped() {
        for character in UInt8(0)..<0x20 {
            for padding in [0, 3, 16, 31] {
                let text = Array("\"".utf8) + [UInt8](repeating: 0x61, count: padding) + [character] + Array("\"".utf8)
                #expect(throws: JSONSyntaxError(reason: .controlCharacter, offset: padding + 1)) {
                    try JSON(validating: text)
                }
            }
        }
    }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            Array((String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)).utf8)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), (" [ ", " ] ")] {
            _ = try JSON(validating: nested(512, open, close))
            let error = #expect(throws: JSONSyntaxError.self) { try JSON(validating: nested(513, open, close)) }
            #expect(error?.reason == .tooDeep)
            #expect(throws: JSONSyntaxError.self) { try JSON(validating: nested(3, open, close), maximumDepth: 2) }
        }
        let mixed = { (levels: Int) in nested(levels, "{\"a\":[", "]}") }
        _ = try JSON(validating: mixed(256))
        #expect(throws: JSONSyntaxError.self) { try JSON(validating: mixed(257)) }
        for depth in 0...3 {
            #expect((try? JSON(validating: mixed(1), maximumDepth: depth)) != nil || depth < 2)
            #expect((try? JSON(validating: mixed(1), maximumDepth: depth)) == nil || depth >= 2)
        }
        // Many at one level are not deep, and a million levels cost no stack.
        _ = try JSON(validating: Array(("[" + String(repeating: "[],", count: 2000) + "[]]").utf8))
        #expect(throws: JSONSyntaxError.self) {
            try JSON(validating: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }

    @Test func describesWhereItWentWrong() {
        #expect(throws: JSONSyntaxError(reason: .missingCommaOrBracket, offset: 6)) {
            try JSON(validating: Array("[1, 2 x]".utf8))
        }
        #expect(JSONSyntaxError(reason: .missingColon, offset: 7).description == "an object misses a colon at byte 7")
        #expect(JSONSyntaxError(reason: .empty, offset: 0).description == "there is no JSON value")
    }

    @Test func bytesBehindTheGivenLengthDoNotCount() throws {
        let text = Array("[1, 22, \"x\"] garbage".utf8)
        try text.withUnsafeBytes { buffer in
            try JSON.validate(UnsafeRawBufferPointer(rebasing: buffer[..<12]))
            #expect(throws: JSONSyntaxError(reason: .unexpectedEnd, offset: 11)) {
                try JSON.validate(UnsafeRawBufferPointer(rebasing: buffer[..<11]))
            }
        }
        #expect(throws: JSONSyntaxError(reason: .empty, offset: 0)) {
            try JSON.validate(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    /// What programs mostly write is read in a quicker way than the rest. Both have to take and refuse the same.
    @Test func theQuickWayDecidesLikeTheParser() {
        var random = SeededGenerator(seed: 21)
        let replacements = Array("[]{},:\"\\ 0-1e.\0".utf8) + [0x80]
        var taken = 0
        for _ in 0..<5000 {
            var writer = JSONWriter()
            Tree.random(depth: 3, using: &random).write(to: &writer)
            var text = writer.finish().bytes
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                text[place] = replacements.randomElement(using: &random) ?? 0
            }
            let isTaken = (try? JSON(validating: text)) != nil
            // The quick way takes no exponents, so that the parser gets this as a whole.
            let object = Array(#"{"a":1e0,"b":"#.utf8) + text + [UInt8(ascii: "}")]
            #expect(
                isTaken == CommaSeparated.validate(object, expectedCount: 1), "\(String(decoding: text, as: UTF8.self))"
            )
            taken += isTaken ? 1 : 0
        }
        #expect(taken > 1250 && taken < 4750)
    }
}
