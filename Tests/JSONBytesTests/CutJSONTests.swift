import JSONBytes
import Testing

/// Arrays that are cut while they are validated are cut as those that were validated before.
struct CutJSONTests {
    private func cut(_ text: [UInt8], _ limits: RunLimits) throws -> CutJSON {
        let cut = try CutJSON(validating: text, limits: limits)
        let json = try JSON(validating: text)
        #expect(cut.json == json)
        for array in [json.value] + json.value.members().map(\.value) {
            #expect(cut.runs(of: array) == array.runs(limits))
        }
        return cut
    }

    @Test(arguments: [
        "[1,22,333,4444,55555,6]", "[]", "[ ]", " [ 1 , [2, 3] ,{} ]\n", "[1,22]\n", "{}", "7", "\"[1,2]\"",
        #"{"jobs": [1, "2,3", {"a": [4, 5]}, 6], "tags": ["x" , "y"], "none": [], "n": 3}"#,
        #"{"jobs": [1, 2], "jobs": [3, 4, 5]}"#, #"[1.7976931348623157e308, 2]"#, #"["\u00e9", "é", 1e3, [[]]]"#,
    ])
    func likeThoseThatWereValidatedBefore(_ text: String) throws {
        for count in [1, 2, 3, 100] {
            for bytes in [0, 1, 5, 8, 1000] {
                _ = try cut(Array(text.utf8), RunLimits(maximumCount: count, maximumBytes: bytes))
            }
        }
    }

    @Test func randomDocuments() throws {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let elements = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Tree.random(depth: 3, using: &random)
            }
            let tree =
                Bool.random(using: &random)
                ? Tree.array(elements)
                : Tree.object([.init(key: "a", value: .array(elements)), .init(key: "b", value: .array([.null]))])
            var writer = JSONWriter()
            tree.write(to: &writer)
            let limits = RunLimits(
                maximumCount: .random(in: 1...20, using: &random), maximumBytes: .random(in: 0...200, using: &random))
            _ = try cut(writer.bytes, limits)
        }
    }

    @Test func ofManyArraysTheFirstAreCutOnTheWay() throws {
        let members = (0..<40).map { "\"\($0)\":[\((0..<$0).map(String.init).joined(separator: ","))]" }
        _ = try cut(Array("{\(members.joined(separator: ","))}".utf8), RunLimits(maximumCount: 7, maximumBytes: 30))
    }

    @Test func whatIsInvalidIsRefusedAsEver() {
        for text in ["", "[1,", "[1 2]", #"{"jobs": [1, 2}"#, #"{"jobs": [1], }"#, "[1]x", #"["\ud800"]"#] {
            let limits = RunLimits(maximumCount: 1, maximumBytes: 10)
            let expected = #expect(throws: JSONSyntaxError.self) { try JSON(validating: Array(text.utf8)) }
            let error = #expect(throws: JSONSyntaxError.self) {
                try CutJSON(validating: Array(text.utf8), limits: limits)
            }
            #expect(error == expected)
        }
    }
}
