import ArgumentParser
import Foundation
import JobModel
import Testing

@testable import Jobmill

/// What is wrong with flags, environment and file is told together, each at its place.
@Suite struct AllSourcesTests {
    private func problems(_ yaml: String, flags: [String] = [], environment: [String: String] = [:]) throws -> [String]
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("jobmill.yaml").path
        try yaml.write(toFile: file, atomically: true, encoding: .utf8)
        do throws(ConfigurationError) {
            let environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
            _ = try serveFlags(flags + ["--config", file]).configuration(environment: environment)
            return []
        } catch {
            return error.problems.map { $0.description.replacing(folder.path + "/", with: "") }
        }
    }

    private func serveFlags(_ flags: [String]) throws(ConfigurationError) -> ServeFlags {
        do { return try ServeCommand.parse(flags).flags } catch { throw ConfigurationError(problems: []) }
    }

    @Test func allOfThemAreToldInOneRun() throws {
        let found = try problems(
            """
            grace: never
            listen: 0.0.0.0:80
            files: [/, /nowhere]
            handlers:
              a: {exec: no-such-program --flag}
              b:
                lines: /etc/passwd
                timeout: 5
              c:
                python: tasks:run
                interpreter: python0
                initializer: one more
              d:
                exec: cat
                folder: gone
              e: {compiled_in: true}
            """, flags: ["--workers", "0", "--handler", "f=exec:neither", "--handler", "g=run:x"],
            environment: ["JOBMILL_GRACE": "soon"])
        #expect(
            found == [
                "--workers 0: choose from 1 to 1024",
                "--handler g=run:x: \"run\" is no runtime: choose from python, lines and exec",
                "JOBMILL_GRACE: \"soon\": must be a duration up to 604800 s, such as 30, 500ms or 2m",
                "--handler f=exec:neither: there is no program neither in PATH (/usr/bin:/bin)",
                "jobmill.yaml:1: grace: must be a duration from 0 to 604800 s, such as 30, 500ms, 2m or 1h",
                "jobmill.yaml:2: listen: lets other machines in: set JOBMILL_TOKEN or --token-file, or say "
                    + "--insecure-no-token if everybody who can connect may submit work",
                "jobmill.yaml:3: files.1: there is no folder /nowhere; make it first",
                "jobmill.yaml:5: handlers.a.exec: there is no program no-such-program in PATH (/usr/bin:/bin)",
                "jobmill.yaml:7: handlers.b.lines: /etc/passwd is not executable: chmod +x makes it so",
                "jobmill.yaml:11: handlers.c.interpreter: there is no program python0 in PATH (/usr/bin:/bin); "
                    + "name a Python of version 3.9 or newer",
                "jobmill.yaml:12: handlers.c.initializer: \"one more\" cannot be a Python function: write its name alone",
                "jobmill.yaml:15: handlers.d.folder: there is no folder gone; make it first",
                "jobmill.yaml:16: handlers.e.compiled_in: this program has no handlers compiled in",
            ])
    }

    @Test func noProblemHidesAnother() throws {
        let found = try problems(
            """
            handlers:
              a:
                python: tasks:run
                folder: gone
                interpreter: python0
                initializer: one more
              b:
                python: tasks
                folder: gone
                interpreter: python0
                initializer: one more
              c:
                exec: no-such-program
                folder: gone
                environment: {TRACEPARENT: "1"}
              d:
                exec: ./tool
                folder: gone
              e:
                folder: gone
                cpu: 0
              f g:
                exec: cat 'x
                folder: gone
            queues:
              ..: {concurrency: 0}
            """)
        let interpreter = "there is no program python0 in PATH (/usr/bin:/bin); name a Python of version 3.9 or newer"
        let folder = "there is no folder gone; make it first"
        let initializer = "\"one more\" cannot be a Python function: write its name alone"
        #expect(
            found == [
                "jobmill.yaml:4: handlers.a.folder: \(folder)",
                "jobmill.yaml:5: handlers.a.interpreter: \(interpreter)",
                "jobmill.yaml:6: handlers.a.initializer: \(initializer)",
                "jobmill.yaml:8: handlers.b.python: write MODULE:FUNCTION, such as tasks:process_image",
                "jobmill.yaml:9: handlers.b.folder: \(folder)",
                "jobmill.yaml:10: handlers.b.interpreter: \(interpreter)",
                "jobmill.yaml:11: handlers.b.initializer: \(initializer)",
                "jobmill.yaml:13: handlers.c.exec: there is no program no-such-program in PATH (/usr/bin:/bin)",
                "jobmill.yaml:14: handlers.c.folder: \(folder)",
                "jobmill.yaml:15: handlers.c.environment: TRACEPARENT is set by Jobmill itself",
                "jobmill.yaml:18: handlers.d.folder: \(folder)",
                "jobmill.yaml:20: handlers.e: say what runs it: python: MODULE:FUNCTION, lines: COMMAND, exec: COMMAND or compiled_in: true",
                "jobmill.yaml:20: handlers.e.folder: \(folder)",
                "jobmill.yaml:21: handlers.e.cpu: must be a duration from 1 to 604800 s, such as 30, 500ms, 2m or 1h",
                "jobmill.yaml:23: handlers.f g: \"f g\" cannot be a name: \(HandlerSettings.nameRule)",
                "jobmill.yaml:23: handlers.f g.exec: the command has an opening ' and no closing one",
                "jobmill.yaml:24: handlers.f g.folder: \(folder)",
                "jobmill.yaml:26: queues...: \"..\" cannot be a name: that of a queue \(NameRule.sentence)",
                "jobmill.yaml:26: queues....concurrency: must be a whole number from 1 to 1024, or unlimited",
            ])
    }

    @Test(arguments: [
        ("{initial: 10m, max: 1}", "is 600 s, but no rest is longer than max, which is 1 s"),
        ("{initial: 10m}", "is 600 s, but no rest is longer than max, which is 300 s"),
    ])
    func aRestThatIsLongerThanTheLongest(backoff: String, message: String) throws {
        let found = try problems("handlers:\n  a:\n    exec: cat\n    backoff: \(backoff)\n")
        #expect(
            found == [
                "jobmill.yaml:4: handlers.a.backoff.initial: \(message); write a larger max or a smaller initial"
            ])
        #expect(try problems("handlers:\n  a: {exec: cat, backoff: {initial: 2, max: 2}}\n").isEmpty)
    }

    @Test func aPlaceIsWhereTheValueThatCountsStands() throws {
        let yaml = "listen: nonsense\nhandlers:\n  a: {exec: neither}\n"
        #expect(try problems(yaml).map { String($0.prefix(14)) } == ["jobmill.yaml:1", "jobmill.yaml:3"])
        #expect(try problems(yaml, flags: ["--listen", "127.0.0.1:0", "--handler", "a=exec:cat"]).isEmpty)
        let variable = try problems(yaml, flags: ["--handler", "a=exec:cat"], environment: ["JOBMILL_LISTEN": "x"])
        #expect(variable == ["JOBMILL_LISTEN: write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"])
        // A handler's folder in the file has nothing to do with another one of that name.
        let other = "handlers:\n  a:\n    exec: cat\n    folder: gone\n"
        #expect(try problems(other, flags: ["--handler", "a=exec:cat"]).isEmpty)
    }

    @Test func whatNobodyKnowsIsNotHeldAgainstOthers() throws {
        // Whether there is a token to listen with, and what the file says of it.
        #expect(try problems("listen: 0.0.0.0:80\ntoken_file: []\n").count == 1)
        #expect(try problems("listen: 0.0.0.0:80\ntoken_file: /nowhere\n").count == 1)
        #expect(try problems("[\n", flags: ["--listen", "0.0.0.0:80"]).count == 1)
        // Whether a demo handler is there.
        #expect(try problems("demo: maybe\nhandlers:\n  square: {compiled_in: true}\n").count == 1)
        let token = try problems("token_file: /nowhere/token\n")
        #expect(token.count == 1 && token[0].hasPrefix("jobmill.yaml:1: token_file: the file cannot be read: "))
    }
}
