import JobModel
import Synchronization

/// The handlers that clients may use now, and when each was loaded.
final class HandlerRegistry: Sendable {
    struct Entry: Sendable {
        var settings: HandlerSettings
        /// When the processes that run it were prepared last.
        var loadedAt: Timestamp?
        /// Why that is not as new as it should be.
        var reloadProblem: String?
        /// The reload that it is to be loaded anew by, as long as that was not done.
        var awaited: Int?
    }

    /// What another set of handlers brings, by name.
    struct Changes: Hashable, Sendable {
        var added: [String] = []
        var changed: [String] = []
        var removed: [String] = []
        /// Which reload that is: 1 for the first.
        var generation = 0
    }

    private struct State: Sendable {
        var entries: [String: Entry]
        /// Of the last reload.
        var generation = 0
    }

    private let state: Mutex<State>

    /// - Parameter handlers: their names are unique.
    init(_ handlers: [HandlerSettings]) {
        state = Mutex(State(entries: Dictionary(handlers.map { ($0.name, Entry(settings: $0)) }) { first, _ in first }))
    }

    /// By name.
    var entries: [Entry] { state.withLock { $0.entries.values.sorted { $0.settings.name < $1.settings.name } } }

    /// From now on these are the handlers.
    func replace(_ handlers: [HandlerSettings]) -> Changes {
        state.withLock { state in
            let old = state.entries
            state.entries = [:]
            state.generation += 1
            var changes = Changes(generation: state.generation)
            for handler in handlers.sorted(by: { $0.name < $1.name }) {
                var entry = old[handler.name] ?? Entry(settings: handler)
                if old[handler.name] == nil {
                    changes.added.append(handler.name)
                } else if entry.settings != handler {
                    changes.changed.append(handler.name)
                }
                entry.settings = handler
                entry.awaited = state.generation
                state.entries[handler.name] = entry
            }
            changes.removed = old.keys.filter { state.entries[$0] == nil }.sorted()
            return changes
        }
    }

    /// Handlers were loaded, or could not be loaded anew. The pool tries that by itself for the sake of broken neighbours; a
    /// problem is one only where somebody has asked for it. And what an earlier reload has come to says nothing about this one.
    /// - Parameter generation: the reload that this belongs to.
    /// - Returns: those of them that somebody has asked to be loaded anew.
    func loaded(_ handlers: [String], problem: String?, generation: Int, at time: Timestamp) -> [String] {
        state.withLock { state in
            handlers.filter { name in
                guard var entry = state.entries[name] else { return false }
                let isAwaited = entry.awaited == generation
                if problem == nil { entry.loadedAt = time }
                if isAwaited {
                    entry.reloadProblem = problem
                    if problem == nil { entry.awaited = nil }
                }
                state.entries[name] = entry
                return isAwaited
            }
        }
    }
}
