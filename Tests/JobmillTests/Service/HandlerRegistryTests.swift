import JobModel
import Testing

@testable import Jobmill

@Suite struct HandlerRegistryTests {
    private func handler(_ name: String, timeout: Double? = nil) -> HandlerSettings {
        var handler = HandlerSettings(name: name, runtime: .exec(["cat"]))
        handler.limits.timeout = timeout
        return handler
    }

    private let time = Timestamp(microseconds: 5)

    @Test func `what is new, different and gone is told`() {
        let registry = HandlerRegistry([handler("a"), handler("b"), handler("c")])
        let changes = registry.replace([handler("d"), handler("b", timeout: 3), handler("a")])
        #expect(changes == HandlerRegistry.Changes(added: ["d"], changed: ["b"], removed: ["c"], generation: 1))
        #expect(registry.entries.map(\.settings.name) == ["a", "b", "d"])
        #expect(registry.entries[1].settings.limits.timeout == 3)
    }

    @Test func `only what was asked for is a reload`() {
        let registry = HandlerRegistry([handler("a"), handler("b")])
        #expect(registry.loaded(["a", "b", "x"], problem: nil, generation: 0, at: time).isEmpty, "that was the start")
        #expect(registry.entries.map(\.loadedAt) == [time, time])
        _ = registry.replace([handler("a"), handler("b")])
        #expect(registry.loaded(["a"], problem: nil, generation: 1, at: Timestamp(microseconds: 6)) == ["a"])
        #expect(registry.loaded(["a"], problem: nil, generation: 1, at: Timestamp(microseconds: 7)).isEmpty)
        #expect(registry.loaded(["a"], problem: "a neighbour", generation: 1, at: time).isEmpty, "nobody has asked")
        #expect(registry.entries[0].reloadProblem == nil)
        #expect(registry.loaded(["b"], problem: "no file", generation: 1, at: Timestamp(microseconds: 8)) == ["b"])
        #expect(registry.entries[1].loadedAt == time, "it is as old as before")
        #expect(registry.entries[1].reloadProblem == "no file")
        _ = registry.replace([handler("a"), handler("b")])
        #expect(registry.entries[1].reloadProblem == "no file", "until it is known how it goes now")
        _ = registry.loaded(["b"], problem: nil, generation: 2, at: Timestamp(microseconds: 9))
        #expect(registry.entries[1].reloadProblem == nil)
    }

    @Test func `what an earlier reload has come to is not taken for the awaited one`() {
        let registry = HandlerRegistry([handler("a")])
        let first = registry.replace([handler("a")]).generation
        let second = registry.replace([handler("a")]).generation
        #expect(registry.loaded(["a"], problem: "the first", generation: first, at: time).isEmpty)
        #expect(registry.entries[0].reloadProblem == nil)
        #expect(registry.loaded(["a"], problem: "the second", generation: second, at: time) == ["a"])
        #expect(registry.loaded(["a"], problem: nil, generation: first, at: time).isEmpty)
        #expect(registry.entries[0].reloadProblem == "the second", "the settings of the second are not in force")
        #expect(registry.entries[0].loadedAt == time, "but what runs is as new as that")
        #expect(registry.loaded(["a"], problem: nil, generation: second, at: time) == ["a"])
        #expect(registry.entries[0].reloadProblem == nil)
    }
}

@Suite struct RestartTests {
    @Test func `settings that hold from the next start on are named`() throws {
        let old = ServiceConfiguration(
            listen: try #require(ListenAddress("127.0.0.1:1")), dataFolder: "a", handlers: [], workers: 2)
        #expect(old.settingsThatNeedARestart(for: old).isEmpty)
        var new = old
        new.handlers = [HandlerSettings(name: "a", runtime: .compiledIn)]
        new.workers = 3
        #expect(old.settingsThatNeedARestart(for: new).isEmpty)
        new.dataFolder = "b"
        new.token = "c"
        new.followsCPUs = true
        #expect(old.settingsThatNeedARestart(for: new) == ["data", "workers", "token_file"])
    }
}
