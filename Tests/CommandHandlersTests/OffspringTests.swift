import Glibc
import Testing

@testable import CommandHandlers

struct OffspringTests {
    private func number(_ line: String) throws -> Int32 {
        let digits = line.filter { $0.isNumber }
        return try #require(Int32(digits), "\(line)")
    }

    @Test func aProcessInTheBackgroundEndsWithItsJob() throws {
        let host = try TestHost(.exec, ["sh", "-c", "sleep 1000 & echo $!"])
        #expect(ends(try number(try host.run("1"))))
    }

    @Test func alsoInASessionOfItsOwn() throws {
        // The number is that of the sleep, as it takes the shell's place.
        let host = try TestHost(.exec, ["sh", "-c", "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2"])
        #expect(ends(try number(try host.run("1"))))
    }

    @Test func aLongLivedProcessStaysAndItsOrphansDoNot() throws {
        let script =
            #"while read -r job; do orphan=$(sleep 1000 >/dev/null & echo $!); echo "{\"result\": [$$, $orphan]}"; done"#
        let host = try TestHost(.lines, ["sh", "-c", script])
        let answers = try (1...3).map { _ in try host.run("1").split { !$0.isNumber }.compactMap { Int32($0) } }
        #expect(answers.allSatisfy { $0.count == 2 && $0[0] == answers[0][0] })
        for answer in answers { #expect(ends(answer[1])) }
        #expect(kill(answers[0][0], 0) == 0)
    }

    @Test(arguments: [CommandSpecification.Kind.lines, .exec])
    func aCommandDiesWithItsWorker(kind: CommandSpecification.Kind) throws {
        let folder = try TemporaryFolder()
        let host = try TestHost(
            kind,
            ["sh", "-c", "echo $$ > \(folder.path)/new; mv \(folder.path)/new \(folder.path)/pid; exec sleep 1000"])
        try host.send("1")
        let process = try processIdentifier(in: folder, "pid")
        host.kill()
        #expect(ends(process))
    }
}
