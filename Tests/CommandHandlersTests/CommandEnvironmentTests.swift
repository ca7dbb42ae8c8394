import Testing

@testable import CommandHandlers

struct CommandEnvironmentTests {
    @Test func nothingSecretAndNothingStale() {
        let specification = CommandSpecification(
            name: "work", kind: .exec, program: "/bin/true", arguments: ["true"], environment: ["A": "own", "B": "2"],
            workingFolder: nil)
        let process = [
            "A": "inherited", "PATH": "/bin", "JOBMILL_TOKEN": "secret", "JOBMILL_DEADLINE": "stale",
            "TRACEPARENT": "stale",
            "JOBMILL_DATA": "/data", "JOBMILL_FILES": "/srv", "JOBMILL_ZYGOTE": "mark",
        ]
        #expect(
            CommandEnvironment.common(specification, of: process).sorted() == [
                "A=own", "B=2", "JOBMILL_HANDLER=work", "JOBMILL_ZYGOTE=mark", "PATH=/bin",
            ])
    }
}
