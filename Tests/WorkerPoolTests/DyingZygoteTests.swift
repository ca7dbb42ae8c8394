import Glibc
import JobModel
import Platform
import Testing

@testable import WorkerPool

/// How the end of a zygote is waited for, against real processes.
@Suite struct DyingZygoteTests {
    private func zygote(_ mode: String) throws -> ZygoteClient {
        try ZygoteClient(
            RuntimeDefinition(
                name: mode, executable: try TestPool.host(), arguments: ["fake-zygote", mode],
                handlers: [HandlerProfile(name: "fake")]))
    }

    private func awaitEnd(_ dying: DyingZygote) throws {
        let poller = try Poller()
        try poller.add(dying.fileDescriptor, token: 1)
        var isOver = false
        try eventually("it is dead") {
            isOver = isOver || !((try? poller.wait(until: .now() + .milliseconds(100))) ?? []).isEmpty
            return isOver
        }
    }

    @Test func oneThatGoesOnIsKilledWhenItsTimeIsUp() throws {
        let zygote = try zygote("deaf")
        let now = MonotonicTime.now()
        let dying = try DyingZygote(zygote, reason: "", now: now)
        #expect(try dying.look(now: now) == .awaited)
        #expect(try dying.look(now: now + .milliseconds(49)) == .awaited)
        #expect(isAlive(zygote.processID))
        #expect(dying.due == now + .milliseconds(50))
        // Whether it is dead at once is up to the kernel.
        let first = try dying.look(now: dying.due)
        #expect(first == .awaited)
        #expect(dying.due == now + .milliseconds(100))
        try awaitEnd(dying)
        guard case .ended(let exit) = try dying.look(now: now + .milliseconds(60)) else {
            Issue.record("it is dead")
            return
        }
        #expect(exit.signal == SIGKILL)
        #expect(!exists(zygote.processID), "it is reaped")
    }

    @Test func oneThatEndsTellsHow() throws {
        let dying = try DyingZygote(try zygote("crash"), reason: "", now: .now())
        try awaitEnd(dying)
        guard case .ended(let exit) = try dying.look(now: .now()) else {
            Issue.record("it is dead")
            return
        }
        #expect(exit.signal == SIGABRT)
    }
}
