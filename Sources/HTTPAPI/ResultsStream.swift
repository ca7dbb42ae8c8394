import HTTPServer
import JobStore
import Logging
import Platform
import Synchronization

/// The body of an answer with many results. While one page is on its way the next one is read, but no more, so that memory is flat in
/// the size of the batch.
final class ResultsStream: HTTPBodyStream {
    private struct State {
        var reader: ResultsReader
        /// Goes out next.
        var part: HTTPBodyPart?
        /// Nothing is read any more.
        var isOver: Bool
        /// The server waits for the part that is being read.
        var deliver: (@Sendable (HTTPBodyPart) -> Void)?
    }

    private let state: Mutex<State>
    private let tasks: TaskThreads
    private let logger: Logger

    init(startingWith page: ResultsReader.Page, _ reader: ResultsReader, tasks: TaskThreads, logger: Logger) {
        state = Mutex(State(reader: reader, part: .bytes(page.bytes), isOver: page.isLast))
        self.tasks = tasks
        self.logger = logger
    }

    /// The server asks again only after it was given the part before.
    func next(_ deliver: @escaping @Sendable (HTTPBodyPart) -> Void) {
        let (part, isOver) = state.withLock { state in
            let part = state.part.take()
            if part == nil, !state.isOver { state.deliver = deliver }
            return (part, state.isOver)
        }
        if let part {
            hand(part, to: deliver, isOver: isOver)
        } else if isOver {
            deliver(.end)
        }
    }

    /// What is being read meanwhile is dropped.
    func cancel() {
        state.withLock { state in
            state.part = nil
            state.isOver = true
            state.deliver = nil
        }
    }

    private func hand(_ part: HTTPBodyPart, to deliver: (HTTPBodyPart) -> Void, isOver: Bool) {
        deliver(part)
        if !isOver { tasks.submit { [self] in readAhead() } }
    }

    private func readAhead() {
        var reader = state.withLock { $0.reader }
        let (part, isLast) = read(&reader)
        let deliver = state.withLock { state in
            guard !state.isOver else { return nil as (@Sendable (HTTPBodyPart) -> Void)? }
            state.reader = reader
            state.isOver = isLast
            if state.deliver == nil { state.part = part }
            return state.deliver.take()
        }
        if let deliver { hand(part, to: deliver, isOver: isLast) }
    }

    /// The next part, and whether nothing comes behind it but the end.
    private func read(_ reader: inout ResultsReader) -> (HTTPBodyPart, isLast: Bool) {
        do throws(StoreError) {
            let page = try reader.page()
            return page.bytes.isEmpty ? (.end, true) : (.bytes(page.bytes), page.isLast)
        } catch {
            logger.error("a stream of results broke off", metadata: ["error": "\(error)"])
            return (.failed, true)
        }
    }
}
