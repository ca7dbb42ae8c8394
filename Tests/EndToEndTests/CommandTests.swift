import Foundation
import Testing

@Suite struct CommandTests {
    @Test func `submit, status, results and handlers talk to the service`() throws {
        let server = try TestServer()
        let environment = ["JOBMILL_SERVER": server.url]
        let submitted = try Commands.jobmill(["submit", "square", "1", "2", "3", "--wait"], environment: environment)
        #expect(submitted.status == 0, "\(submitted.errors)")
        let list = try API(server).get("/v1/batches").object()
        let batches = try #require(list["batches"] as? [[String: Any]])
        let id = try #require(batches.first?["id"] as? String)

        let status = try Commands.jobmill(["status", id, "--json"], environment: environment)
        #expect(status.status == 0)
        #expect(status.output.contains("\"completed\""))
        let results = try Commands.jobmill(["results", id, "--format", "values"], environment: environment)
        #expect(results.output == "[1,4,9]\n")
        let handlers = try Commands.jobmill(["handlers"], environment: environment)
        #expect(handlers.output.contains("square"))
    }

    @Test func `jobs come from standard input as lines`() throws {
        let server = try TestServer()
        let result = try Commands.jobmill(
            ["map", "echo", "--file", "-", "--server", server.url], input: "{\"a\":1}\n[2]\n\n\"three\"\n")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "[{\"a\":1},[2],\"three\"]\n")
    }

    @Test func `exit statuses tell what happened`() throws {
        let server = try TestServer()
        let environment = ["JOBMILL_SERVER": server.url]
        #expect(
            try Commands.jobmill(
                ["submit", "fail", "\"no\"", "--wait", "--max-attempts", "1"], environment: environment
            ).status == 1)
        #expect(try Commands.jobmill(["submit", "square", "not json"], environment: environment).status == 2)
        #expect(try Commands.jobmill(["submit", "no-such-handler", "1"], environment: environment).status == 3)
        #expect(
            try Commands.jobmill(["status", "bat_01ARZ3NDEKTSV4RRFFQ69G5FAV"], environment: environment).status == 3)
        #expect(try Commands.jobmill(["handlers", "--server", "http://127.0.0.1:1"]).status == 4)
        #expect(try Commands.jobmill(["frobnicate"]).status == 2)
        #expect(try Commands.jobmill(["--help"]).status == 0)
        #expect(try Commands.jobmill(["--version"]).output == "0.1.0\n")
    }

    @Test func `every command explains itself`() throws {
        for command in ["serve", "submit", "map", "status", "watch", "results", "cancel", "handlers"] {
            let help = try Commands.jobmill([command, "--help"])
            #expect(help.status == 0)
            #expect(help.output.contains("USAGE: jobmill \(command)"), "\(command)")
        }
    }
}
