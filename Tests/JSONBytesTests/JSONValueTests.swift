import JSONBytes
import Testing

@Suite struct JSONValueTests {
    private func value(_ text: String) throws -> JSONValue { try JSON(validating: Array(text.utf8)).value }

    private func text(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }

    @Test func knowsKinds() throws {
        let kinds: [(String, JSONKind)] = [
            ("null", .null), ("true", .boolean), ("false", .boolean), ("-1", .number), ("0", .number),
            ("\"\"", .string),
            ("[]", .array), ("{}", .object),
        ]
        for (text, kind) in kinds { #expect(try value(text).kind == kind) }
    }

    @Test func listsMembersInOrder() throws {
        let object = try value(#" {"b" : 1 , "a\u0062":[ 1, {"x" :"}"}], "b":"\"," ,"é": null} "#)
        let members = object.members()
        #expect(members.map(\.key) == ["b", "ab", "b", "é"])
        #expect(members.map { text($0.value) } == ["1", #"[ 1, {"x" :"}"}]"#, #""\",""#, "null"])
        #expect(members[1].value.elements()[1].members()[0].value.string() == "}")
        #expect(try value("{ }").members().isEmpty)
        #expect(try value("[1]").members().isEmpty)
        #expect(try value("7").members().isEmpty)
    }

    @Test func listsElements() throws {
        let array = try value(#"[ 1 ,"a]", [2,[3]] ,{"x":[]},true ]"#)
        #expect(array.elements().map(text) == ["1", #""a]""#, "[2,[3]]", #"{"x":[]}"#, "true"])
        #expect(array.elements()[2].json == JSON(trusted: Array("[2,[3]]".utf8)))
        #expect(try value("[]").elements().isEmpty)
        #expect(try value("[ \n ]").elements().isEmpty)
        #expect(try value("{\"a\":1}").elements().isEmpty)
    }

    @Test func ofAnotherKindIsNil() throws {
        for text in ["null", "true", "1", "\"1\"", "[1]", "{\"a\":1}"] {
            let value = try value(text)
            #expect((value.integer() != nil) == (value.kind == .number))
            #expect((value.double() != nil) == (value.kind == .number))
            #expect((value.boolean() != nil) == (value.kind == .boolean))
            #expect((value.string() != nil) == (value.kind == .string))
        }
    }

    @Test func rangesPointIntoTheDocument() throws {
        let json = try JSON(validating: Array(#" {"jobs": [10, 20 , 30]}"#.utf8))
        let jobs = json.value.members()[0].value
        let runs = jobs.runs(RunLimits(maximumCount: 2, maximumBytes: 100))
        #expect(runs.map { String(decoding: json.bytes[$0.range], as: UTF8.self) } == ["10, 20", "30"])
        #expect(jobs.elements().map { String(decoding: json.bytes[$0.range], as: UTF8.self) } == ["10", "20", "30"])
    }

    @Test func runsKeepBothLimits() throws {
        let array = try value("[1,22,333,4444,55555,6]")
        func cut(_ count: Int, _ bytes: Int) -> [String] {
            array.runs(RunLimits(maximumCount: count, maximumBytes: bytes)).map {
                String(decoding: array.json.bytes[$0.range], as: UTF8.self)
            }
        }
        #expect(cut(100, 1000) == ["1,22,333,4444,55555,6"])
        #expect(cut(2, 1000) == ["1,22", "333,4444", "55555,6"])
        #expect(cut(100, 8) == ["1,22,333", "4444", "55555,6"])
        #expect(cut(100, 7) == ["1,22", "333", "4444", "55555,6"])
        // One element always goes, however long.
        #expect(cut(100, 0) == ["1", "22", "333", "4444", "55555", "6"])
        #expect(cut(0, 1000) == cut(1, 1000))
        #expect(try value("[]").runs(RunLimits(maximumCount: 10, maximumBytes: 10)).isEmpty)
        #expect(try value("{}").runs(RunLimits(maximumCount: 10, maximumBytes: 10)).isEmpty)
    }

    @Test func runsNameTheirLongestElement() throws {
        let runs = try value("[1, 22 ,\"4444\", 333, 1,1]").runs(RunLimits(maximumCount: 4, maximumBytes: 1000))
        #expect(
            runs == [
                ElementRun(first: 0, count: 4, range: 1..<19, longest: 6, longestIndex: 2),
                ElementRun(first: 4, count: 2, range: 21..<24, longest: 1, longestIndex: 4),
            ])
    }
}
