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

    @Test func aLastingCommandThatIsKilledHasNotUsedTooMuch() throws {
        let pool = try TestPool(
            .lines,
            [
                "sh", "-c",
                """
                while read -r job; do
                    case $job in *'"payload":9'*) kill -KILL $$;; esac
                    number=0; while [ $number -lt 300000 ]; do number=$((number + 1)); done
                    echo '{"result": 1}'
                done
                """,
            ], limits: CommandLimitsTests.second)
        for chunk in 1...4 { #expect(try pool.run(UInt64(chunk), ["1"]).outcomes == [.result("1")]) }
        let failure = try #require(try pool.run(5, ["9"]).outcomes.first?.failure)
        #expect(failure.message == "killed by SIGKILL in the middle of the job", "\(failure)")
    }

    @Test func otherEndsAreNoLimit() throws {
        #expect(try failure(.exec, "kill -KILL $$").message == "killed by SIGKILL")
        #expect(try failure(.exec, "exit 137").type == "ExitStatus")
    }
}
