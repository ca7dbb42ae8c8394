import Glibc
import JobModel
import Testing

@testable import CommandHandlers

/// The programs of the page "Bring a command", as they stand there.
struct DocumentedExamplesTests {
    /// The code block that holds a comment with this name.
    private func example(_ name: String) throws -> String {
        let sources = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/\(sources)/Sources/Jobmill/Jobmill.docc/BringACommand.md", "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 100_000)
        let count = fread(&bytes, 1, bytes.count, file)
        let page = String(decoding: bytes[..<count], as: UTF8.self)
        // Every second piece stands between two fences; its first line names the language.
        let blocks = page.split(separator: "```", omittingEmptySubsequences: false).enumerated().filter {
            $0.offset % 2 == 1
        }
        let block = try #require(
            blocks.map(\.element).first { $0.contains("# \(name)\n") || $0.contains("// \(name)\n") },
            "no example \(name)")
        return String(block.drop { $0 != "\n" }.dropFirst())
    }

    private func trial(_ kind: CommandSpecification.Kind, _ program: String, _ name: String) throws -> Trial {
        let folder = try TemporaryFolder()
        try folder.write(try example(name), to: name, mode: 0o644)
        return try Trial(kind, "\(program) \(name)", folder: folder.path, keeping: folder)
    }

    @Test func exec() throws {
        let outcomes = try trial(.exec, "sh", "square.sh").run(["3", "-3", "12"])
        #expect(outcomes[0] == .result("9") && outcomes[2] == .result("144"))
        #expect(outcomes[1].failure?.message == "exited with status 3: I take no negative numbers")
    }

    @Test func python() throws {
        let payloads = ["\"to be or not\"", "3"] + (0..<400).map { "\"\(String(repeating: "x ", count: $0 % 9))\"" }
        let outcomes = try trial(.lines, Trial.python, "words.py").run(payloads)
        #expect(outcomes[0] == .result("4"))
        #expect(outcomes[1].failure?.type == "AttributeError")
        #expect(outcomes.dropFirst(2).map { $0 } == (0..<400).map { .result("\($0 % 9)") })
    }

    @Test func perl() throws {
        let outcomes = try trial(.lines, "perl", "reverse.pl").run(["\"abc\"", "[]", "\"äö\""])
        #expect(
            outcomes.map(\.bare) == [
                .result("\"cba\""),
                .failure(Failure(kind: .exception, message: "the payload is no text\n", type: "Refusal")),
                .result("\"öä\""),
            ])
    }

    @Test func node() throws {
        let outcomes = try trial(.lines, "node", "shout.js").run(["\"abc\"", "7", "\"x\""])
        #expect(outcomes[0] == .result("\"ABC\"") && outcomes[2] == .result("\"X\""))
        #expect(outcomes[1].failure?.type == "TypeError")
    }

    @Test func shell() throws {
        #expect(
            try trial(.lines, "sh", "double.sh").run(["1", "21", "-4"]) == [.result("2"), .result("42"), .result("-8")])
    }
}
