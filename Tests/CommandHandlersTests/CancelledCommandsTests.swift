import Glibc
import JobModel
import Platform
import Testing

@testable import CommandHandlers

/// What commands have of the grace period when their worker is asked to end.
struct CancelledCommandsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Waits until it is told to end, and does something then. The file `ready` has its process identifier.
    private func waiting(until end: String) -> String {
        let path = folder.path
        return "cd \(path); trap '\(end)' TERM; echo $$ > new; mv new ready; while :; do sleep 0.05; done"
    }

    /// For each job, as a process of this kind takes it.
    private func words(_ kind: CommandSpecification.Kind, _ script: String) -> [String] {
        ["sh", "-c", kind == .exec ? script : "read -r job; \(script)"]
    }

    /// Runs a job, cancels it when the command is ready, and looks how that ended.
    private func cancelled(_ pool: TestPool) throws -> Failure {
        pool.begin(1, ["1", "2"])
        _ = try processIdentifier(in: folder, "ready")
        pool.cancel(1)
        let report = try pool.end(of: 1)
        #expect(report.outcomes.isEmpty)
        guard case .interrupted(0, let failure) = report.end else { throw Unexpected(end: report.end) }
        #expect(failure.kind == .cancelled)
        return failure
    }

    private struct Unexpected: Error { let end: ChunkEnd? }

    @Test(arguments: CommandSpecification.Kind.allCases)
    func aCommandCanPutThingsInOrder(kind: CommandSpecification.Kind) throws {
        let pool = try TestPool(kind, words(kind, waiting(until: "sleep 0.3; echo 1 > cleaned; exit 0")))
        let failure = try cancelled(pool)
        #expect(folder.read("cleaned") == "1\n")
        #expect(failure.death?.signal == "SIGTERM")
        #expect(ends(try processIdentifier(in: folder, "ready")))
    }

    @Test func whatItAnswersThenDoesNotCount() throws {
        let outcome = #"echo "{\"result\": 7}"; exit 0"#
        let lines = try TestPool(.lines, words(.lines, waiting(until: outcome)))
        _ = try cancelled(lines)
        // What has no place in a pipe must not hold it up.
        unlink("\(folder.path)/ready")
        let exec = try TestPool(
            .exec, words(.exec, waiting(until: "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 0")))
        _ = try cancelled(exec)
    }

    @Test(arguments: CommandSpecification.Kind.allCases)
    func oneThatDoesNotMindEndsAtOnce(kind: CommandSpecification.Kind) throws {
        // The grace period is longer than the test waits.
        let pool = try TestPool(
            kind, words(kind, "cd \(folder.path); echo $$ > new; mv new ready; exec sleep 1000"))
        _ = try cancelled(pool)
    }

    @Test(arguments: CommandSpecification.Kind.allCases)
    func theGracePeriodHasAnEndForEverybody(kind: CommandSpecification.Kind) throws {
        let script = """
            trap "" TERM; cd \(folder.path); sh -c 'echo $$ > one; mv one child; while :; do sleep 1; done' &
            setsid sh -c 'trap "" TERM; echo $$ > two; mv two other; while :; do sleep 1; done' &
            while ! test -e child || ! test -e other; do sleep 0.01; done
            echo $$ > new; mv new ready; while :; do sleep 1; done
            """
        let pool = try TestPool(kind, words(kind, script), grace: 300)
        let failure = try cancelled(pool)
        #expect(failure.death?.signal == "SIGKILL")
        for name in ["ready", "child", "other"] { #expect(ends(try processIdentifier(in: folder, name)), "\(name)") }
    }

    @Test func whatACommandHasStartedHasTheGracePeriodToo() throws {
        // The command itself dies of the signal.
        let inner = waiting(until: "sleep 0.3; echo 1 > cleaned; exit 0").replacing("'", with: "\"")
        let pool = try TestPool(.exec, ["sh", "-c", "sh -c '\(inner)'; true"])
        _ = try cancelled(pool)
        #expect(folder.read("cleaned") == "1\n")
    }

    @Test func oneInASessionOfItsOwnHearsOfIt() throws {
        let pool = try TestPool(.exec, ["setsid", "sh", "-c", waiting(until: "echo 1 > cleaned; exit 0")])
        _ = try cancelled(pool)
        #expect(folder.read("cleaned") == "1\n")
    }

    @Test(arguments: CommandSpecification.Kind.allCases)
    func aWorkerThatIsKilledMeanwhileLeavesNobody(kind: CommandSpecification.Kind) throws {
        let script = """
            cd \(folder.path); sh -c 'trap "" TERM; echo $$ > one; mv one child; while :; do sleep 1; done' &
            trap 'echo $PPID > two; mv two parent' TERM
            while ! test -e child; do sleep 0.01; done
            echo $$ > new; mv new ready; while :; do sleep 0.05; done
            """
        let pool = try TestPool(kind, words(kind, script))
        pool.begin(1, ["1"])
        _ = try processIdentifier(in: folder, "ready")
        pool.cancel(1)
        kill(try processIdentifier(in: folder, "parent"), SIGKILL)
        guard case .interrupted(0, let failure) = try pool.end(of: 1).end else {
            Issue.record("the job did not end")
            return
        }
        #expect(failure.kind == .cancelled)
        for name in ["ready", "child"] { #expect(ends(try processIdentifier(in: folder, name)), "\(name)") }
    }

    @Test func aCancelledWorkerIsFollowedByAFreshOne() throws {
        let script = #"while read -r job; do case $job in *1}) WAIT;; esac; echo '{"result": 2}'; done"#
        let pool = try TestPool(.lines, ["sh", "-c", script.replacing("WAIT", with: waiting(until: "exit 0"))])
        _ = try cancelled(pool)
        #expect(try pool.run(2, ["2", "2"]).outcomes == [.result("2"), .result("2")])
    }
}
