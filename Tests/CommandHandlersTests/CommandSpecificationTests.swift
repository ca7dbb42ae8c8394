import JSONBytes
import Testing

@testable import CommandHandlers

struct CommandSpecificationTests {
    private func specification(
        _ command: String, environment: [String: String] = [:], folder: String? = nil, path: String = "/usr/bin:/bin",
        current: String = "/"
    ) throws -> CommandSpecification {
        try CommandSpecification(
            name: "work", kind: .exec, words: try CommandText.words(command), environment: environment,
            workingFolder: folder,
            serviceEnvironment: ["PATH": path], currentFolder: current)
    }

    @Test func findsTheProgram() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\n", to: "tool", mode: 0o755)
        #expect(try specification("sh -c x").program.hasSuffix("/sh"))
        #expect(try specification("tool", path: "/nowhere:\(folder.path)").program == "\(folder.path)/tool")
        #expect(try specification("tool", environment: ["PATH": folder.path]).program == "\(folder.path)/tool")
        #expect(try specification("./tool a", current: folder.path).program == "\(folder.path)/./tool")
        let inside = try specification("./tool", folder: folder.path)
        #expect(inside.program == "\(folder.path)/./tool" && inside.workingFolder == folder.path)
        #expect(inside.arguments == ["./tool"])
    }

    @Test func refusesWhatCannotRun() throws {
        let folder = try TemporaryFolder()
        try folder.write("text", to: "plain", mode: 0o644)
        let cases: [(String, String)] = [
            ("no-such-program-here", "in PATH"),
            ("\(folder.path)/plain", "not executable"), ("\(folder.path)/none", "there is no program"),
            (folder.path + "/", "is a folder"),
        ]
        for (command, words) in cases {
            let error = #expect(throws: CommandError.self, "\(command)") { try specification(command) }
            #expect(error?.message.contains(words) == true, "\(command): \(error?.message ?? "")")
        }
        #expect(throws: CommandError.self) { try specification("plain", path: folder.path) }
        #expect(throws: CommandError.self) { try specification("sh", folder: "\(folder.path)/none") }
    }

    @Test(arguments: ["", "A=B", "JOBMILL_JOB", "TRACEPARENT", "A\0"])
    func refusesVariables(name: String) {
        #expect(throws: CommandError.self) { try specification("sh", environment: [name: "x"]) }
    }

    @Test func travelsAsJSON() throws {
        let all = [
            CommandSpecification(
                name: "a", kind: .lines, program: "/bin/sh", arguments: ["sh", "it's", "\"ä\n"],
                environment: ["A": "1", "B": "="], workingFolder: "/tmp"),
            CommandSpecification(
                name: "b", kind: .exec, program: "/bin/true", arguments: ["true"], environment: [:], workingFolder: nil),
        ]
        var writer = JSONWriter()
        writer.beginArray()
        for one in all { one.write(to: &writer) }
        writer.endArray()
        let text = try JSON(validating: writer.finish().bytes)
        #expect(try text.value.elements().map(CommandSpecification.init(parsing:)) == all)
        #expect(throws: CommandError.self) {
            try CommandSpecification(parsing: JSON(trusted: Array(#"{"name": "a"}"#.utf8)).value)
        }
    }
}
