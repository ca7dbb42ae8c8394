import JobModel
import Testing

@testable import CommandHandlers

/// What a limit of processor time does to commands.
struct CommandLimitsTests {
    private static let second = HandlerLimits(cpuSeconds: 1)
    private static let busy = "while :; do :; done"

    private func failure(_ kind: CommandSpecification.Kind, _ script: String) throws -> Failure {
        let pool = try TestPool(kind, ["sh", "-c", script], limits: CommandLimitsTests.second)
        let report = try pool.run(1, ["1"])
        return try #require(report.outcomes.first?.failure, "\(report)")
    }

    @Test(arguments: [
        busy,
        // The shell tells of it by its status.
        "sh -c '\(busy)'; exit $?",
    ])
    func aCommandBeyondItsLimit(script: String) throws {
        for (kind, script) in [(CommandSpecification.Kind.exec, script), (.lines, "read -r job; \(script)")] {
            let failure = try failure(kind, script)
            #expect(failure.kind == .cpuLimit, "\(failure)")
            #expect((failure.death?.cpuSeconds ?? 0) > 0.5)
        }
    }

    @Test func oneThatDoesNotMindTheSignal() throws {
        let failure = try failure(.exec, "trap '' XCPU; \(CommandLimitsTests.busy)")
        #expect(failure.kind == .cpuLimit, "\(failure)")
        #expect(failure.death?.signal == "SIGKILL")
    }

    @Test func otherEndsAreNoLimit() throws {
        #expect(try failure(.exec, "kill -KILL $$").message == "killed by SIGKILL")
        #expect(try failure(.exec, "exit 137").type == "ExitStatus")
    }
}
