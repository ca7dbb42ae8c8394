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
        /// It is to be loaded anew, and that was not done yet.
        var isAwaited = false
    }

    /// What another set of handlers brings, by name.
    struct Changes: Hashable, Sendable {
        var added: [String] = []
        var changed: [String] = []
        var removed: [String] = []
    }

    private let state: Mutex<[String: Entry]>

    /// - Parameter handlers: their names are unique.
    init(_ handlers: [HandlerSettings]) {
        state = Mutex(Dictionary(handlers.map { ($0.name, Entry(settings: $0)) }) { first, _ in first })
    }

    /// By name.
    var entries: [Entry] { state.withLock { $0.values.sorted { $0.settings.name < $1.settings.name } } }

    /// From now on these are the handlers.
    func replace(_ handlers: [HandlerSettings]) -> Changes {
        state.withLock { entries in
            let old = entries
            entries = [:]
            var changes = Changes()
            for handler in handlers.sorted(by: { $0.name < $1.name }) {
                var entry = old[handler.name] ?? Entry(settings: handler)
                if old[handler.name] == nil {
                    changes.added.append(handler.name)
                } else if entry.settings != handler {
                    changes.changed.append(handler.name)
                }
                entry.settings = handler
                entry.isAwaited = true
                entries[handler.name] = entry
            }
            changes.removed = old.keys.filter { entries[$0] == nil }.sorted()
            return changes
        }
    }

    /// Handlers were loaded, or could not be loaded anew. The pool tries that by itself for the sake of broken neighbours; a
    /// problem is one only where somebody has asked for it.
    /// - Returns: those of them that somebody has asked to be loaded anew.
    func loaded(_ handlers: [String], problem: String?, at time: Timestamp) -> [String] {
        state.withLock { entries in
            handlers.filter { name in
                guard var entry = entries[name] else { return false }
                let isAwaited = entry.isAwaited
                if problem == nil {
                    entry.loadedAt = time
                    entry.isAwaited = false
                }
                if problem == nil || isAwaited { entry.reloadProblem = problem }
                entries[name] = entry
                return isAwaited
            }
        }
    }
}
