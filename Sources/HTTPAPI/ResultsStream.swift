import HTTPServer
import JobStore
import Logging
import Platform
import Synchronization

/// The body of an answer with many results: one page at a time, each read when the one before is on its way, so that memory
/// is flat in the size of the batch.
final class ResultsStream: HTTPBodyStream {
    private struct State {
        /// Read already; goes out first.
        var page: ResultsReader.Page?
        var reader: ResultsReader
        var isOver = false
    }

    private let state: Mutex<State>
    private let tasks: TaskThreads
    private let logger: Logger

    init(startingWith page: ResultsReader.Page, _ reader: ResultsReader, tasks: TaskThreads, logger: Logger) {
        state = Mutex(State(page: page, reader: reader))
        self.tasks = tasks
        self.logger = logger
    }

    /// The server asks again only after it was given the part before.
    func next(_ deliver: @escaping @Sendable (HTTPBodyPart) -> Void) {
        let (page, isOver) = state.withLock { state in
            defer {
                if let page = state.page {
                    state.isOver = page.isLast
                    state.page = nil
                }
            }
            return (state.page, state.isOver)
        }
        if let page {
            deliver(.bytes(page.bytes))
        } else if isOver {
            deliver(.end)
        } else {
            tasks.submit { [self] in deliver(read()) }
        }
    }

    /// A page that is being read meanwhile is dropped by the server.
    func cancel() { state.withLock { $0.isOver = true } }

    private func read() -> HTTPBodyPart {
        var reader = state.withLock { $0.reader }
        do throws(StoreError) {
            let page = try reader.page()
            state.withLock { state in
                state.reader = reader
                state.isOver = state.isOver || page.isLast
            }
            return page.bytes.isEmpty ? .end : .bytes(page.bytes)
        } catch {
            logger.error("a stream of results broke off", metadata: ["error": "\(error)"])
            return .failed
        }
    }
}
