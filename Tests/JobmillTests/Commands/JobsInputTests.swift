import Foundation
import Testing

@testable import Jobmill

@Suite struct JobsInputTests {
    private func text(_ content: String) throws -> String {
        String(decoding: try JobsInput(content: Array(content.utf8)).text, as: UTF8.self)
    }

    private func problem(_ content: String) -> String? {
        do {
            _ = try JobsInput(content: Array(content.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test func argumentsAreJSONValues() throws {
        let input = try JobsInput(arguments: ["1", #"{"a": [2]}"#, #""x""#, " null "])
        #expect(String(decoding: input.text, as: UTF8.self) == #"1,{"a": [2]},"x", null "#)
    }

    @Test(arguments: [
        (["1", "text"], "job 2, text, is no JSON", "quotes"),
        (["--wiat"], "job 1, --wiat, is no JSON", "no such option"),
        (["1,2"], "job 1, 1,2, is no JSON", "quotes"),
        ([""], "job 1, , is no JSON", "quotes"),
        ([], "there are no jobs", "--file"),
    ])
    func wrongArgumentsAreNamed(arguments: [String], beginning: String, hint: String) throws {
        let problem = try #require(throws: JobsInput.Problem.self) { try JobsInput(arguments: arguments) }
        #expect(problem.description.hasPrefix(beginning))
        #expect(problem.description.contains(hint))
    }

    @Test(arguments: [
        ("[1, 2,3]", "1, 2,3"),
        (" [ [1] ]\n", "[1]"),
        ("1\n2\n", "1,2"),
        ("\r\n{\"a\":1}\r\n\r\n[2]\r\n\"three\"", "{\"a\":1},[2],\"three\""),
        // Lines of arrays are no array as a whole.
        ("[1]\n[2]\n", "[1],[2]"),
        ("7", "7"),
    ])
    func filesAreArraysOrLines(content: String, expected: String) throws { #expect(try text(content) == expected) }

    @Test func wrongFilesAreExplained() throws {
        #expect(problem("") == "there are no jobs in it")
        #expect(problem(" \n\n") == "there are no jobs in it")
        #expect(problem(" [ ] ") == "the array holds no jobs")
        #expect(problem("1\n\n{\"a\"\n")?.hasPrefix("line 3 is no JSON: ") == true)
        #expect(problem("[1, 2")?.hasPrefix("no JSON array: ") == true)
        #expect(problem("[1]\n[2\n")?.hasPrefix("no JSON array: ") == true)
    }

    @Test func filesAreRead() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("[1,2]".utf8).write(to: file)
        #expect(try JobsInput.read(arguments: [], file: file.path).text == Array("1,2".utf8))
        try Data("nonsense".utf8).write(to: file)
        let wrong = try #require(throws: JobsInput.Problem.self) {
            try JobsInput.read(arguments: [], file: file.path)
        }
        #expect(wrong.description.hasPrefix("\(file.path): line 1 is no JSON"))
        let missing = try #require(throws: JobsInput.Problem.self) {
            try JobsInput.read(arguments: [], file: "/nonexistent/jobs")
        }
        #expect(missing.description.hasPrefix("/nonexistent/jobs cannot be read"))
        let both = try #require(throws: JobsInput.Problem.self) {
            try JobsInput.read(arguments: ["1"], file: file.path)
        }
        #expect(both.description.contains("not both"))
    }
}
