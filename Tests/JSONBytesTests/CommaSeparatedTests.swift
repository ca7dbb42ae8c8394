import JSONBytes
import Testing

@Suite struct CommaSeparatedTests {
    private func values(_ text: [UInt8], upTo limit: Int = .max) -> [String] {
        var found: [String] = []
        text.withUnsafeBytes { bytes in
            CommaSeparated.forEach(in: bytes) { value in
                found.append(String(decoding: value, as: UTF8.self))
                return found.count < limit
            }
        }
        return found
    }

    private func slice(_ text: String, _ dropping: Int, _ taking: Int) -> String {
        // A slice of a larger array: indices do not start at 0.
        let bytes = Array("[\(text)]".utf8)
        return String(
            decoding: CommaSeparated.slice(bytes[1..<(bytes.count - 1)], dropping: dropping, taking: taking),
            as: UTF8.self)
    }

    private let mixed = #" 1 , "a,b\"]" ,[1,[2,{"x":"}"}]] , {"k":[1,2]},null,-1.5e3 "#

    @Test func findsValues() {
        #expect(
            values(Array(mixed.utf8)) == ["1", #""a,b\"]""#, #"[1,[2,{"x":"}"}]]"#, #"{"k":[1,2]}"#, "null", "-1.5e3"])
        #expect(values(Array(mixed.utf8), upTo: 2) == ["1", #""a,b\"]""#])
        #expect(values([]) == [])
        #expect(values(Array(" \n".utf8)) == [])
        #expect(CommaSeparated.count(Array(mixed.utf8)) == 6)
        #expect(CommaSeparated.count([]) == 0)
    }

    @Test func walksBeyondOneBatch() {
        let numbers = (0..<1000).map { $0 * $0 }
        let text = Array(numbers.map(String.init).joined(separator: ",").utf8)
        #expect(values(text) == numbers.map(String.init))
        #expect(CommaSeparated.count(text) == 1000)
        #expect(CommaSeparated.validate(text, expectedCount: 1000))
    }

    @Test func slices() {
        #expect(slice("10,20 , 30,40", 0, 2) == "10,20")
        #expect(slice("10,20 , 30,40", 1, 2) == "20 , 30")
        #expect(slice("10,20 , 30,40", 3, 5) == "40")
        #expect(slice("10,20 , 30,40", 0, 4) == "10,20 , 30,40")
        #expect(slice("10,20", 2, 1) == "")
        #expect(slice("10,20", 3, 1) == "")
        #expect(slice("10,20", 1, 0) == "")
        #expect(slice("", 0, 1) == "")
        #expect(slice(mixed, 1, 2) == #""a,b\"]" ,[1,[2,{"x":"}"}]]"#)
    }

    @Test func passesErrorsOn() {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try Array("1,2".utf8).withUnsafeBytes { try CommaSeparated.forEach(in: $0) { _ in throw Stop() } }
        }
    }

    @Test(arguments: [
        ("", 0), (" ", 0), ("1", 1), (" 1 ", 1), ("1,2", 2), ("\n1 ,\t2 ", 2), ("[1,2],{}", 2), ("\"a,b\"", 1),
        ("null,null,null", 3),
    ])
    func validates(_ text: String, _ count: Int) {
        #expect(CommaSeparated.validate(Array(text.utf8), expectedCount: count))
        #expect(!CommaSeparated.validate(Array(text.utf8), expectedCount: count + 1))
        #expect(!CommaSeparated.validate(Array(text.utf8), expectedCount: count - 1))
    }

    @Test(arguments: [
        ("1,", 1), ("1,", 2), (",1", 1), (",1", 2), ("1,,2", 2), ("1,,2", 3), ("1 2", 2), ("1],[2", 2), ("[1,2", 1),
        ("1]", 1), ("1}", 1),
        ("\"a", 1), ("\"a,\"b\"", 2), ("1,tru", 2), ("1;2", 2), ("1\0", 1), ("1,\0", 2), ("0,\u{FEFF}1", 2), ("x", 1),
        (",", 0), ("1", -1),
        ("\"\\uD800\",1", 2), ("1e999,1", 2), ("NaN,1", 2),
    ])
    func refuses(_ text: String, _ count: Int) {
        #expect(!CommaSeparated.validate(Array(text.utf8), expectedCount: count))
    }

    @Test func refusesTooDeepValues() {
        let nested =
            [UInt8](repeating: UInt8(ascii: "["), count: 513) + [UInt8](repeating: UInt8(ascii: "]"), count: 513)
        #expect(CommaSeparated.validate(Array("1,".utf8) + nested[1..<1025], expectedCount: 2))
        #expect(!CommaSeparated.validate(Array("1,".utf8) + nested, expectedCount: 2))
    }

    @Test(arguments: [
        ("", 0, 0), (",", 0, 0), ("1", 0, 0), ("1,", 1, 1), ("1,2", 1, 1), ("1,2,", 2, 3), ("1,,2,", 1, 1),
        (#"{"a":[1,2]},"x,y","#, 2, 17), (#"{"a":[1,2"#, 0, 0), ("1,\0,3,", 1, 1), (#""\ud83d\ude00",[]x,"#, 1, 14),
        ("01,2,", 0, 0), (" 1 , 2 ,", 2, 7), ("1 , 2 ,", 2, 6), ("1e400,", 0, 0),
    ])
    func findsWhatIsFinished(_ text: String, count: Int, length: Int) {
        let found = CommaSeparated.finished(in: Array(text.utf8))
        #expect(found == (count, length))
    }

    /// What is not valid is walked safely and to an end all the same.
    @Test func survivesAnything() {
        var random = SeededGenerator(seed: 5)
        let alphabet = Array("\"\\,,[]{}: 1a\0\u{80}".utf8)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let count = CommaSeparated.count(text)
            #expect(values(text).count == count)
            // Random text is hardly ever valid; where it is, both have to agree on the number.
            for guess in 0...3 where CommaSeparated.validate(text, expectedCount: guess) { #expect(guess == count) }
            let document = JSON(trusted: text.isEmpty ? Array("[]".utf8) : Array("[".utf8) + text + Array("]".utf8))
                .value
            _ = document.elements().map { $0.kind }
            _ = document.runs(RunLimits(maximumCount: 3, maximumBytes: 10))
            _ = CommaSeparated.slice(text[...], dropping: 1, taking: 2)
            _ = JSON(trusted: Array("{".utf8) + text + Array("}".utf8)).value.members()
        }
    }
}
