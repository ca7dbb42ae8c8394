import JobModel
import Logging
import Platform
import WorkerKit

extension PoolLoop {
    func fork(_ worker: UInt32, _ place: Int) {
        // Its zygote may have died since this was wanted.
        guard shared.withState({ $0.isForking(worker) }), let zygote = zygotes[place] else { return }
        do {
            let handle = try zygote.fork(worker, maximumResultBytes: configuration.maximumResultBytes)
            handles[worker] = handle
            try poller.add(handle.channel.socket.rawValue, token: Token.socket(worker).rawValue)
            for (stream, pipe) in handle.output.open {
                try poller.add(pipe, token: Token.pipe(worker, stream).rawValue)
            }
            shared.setChannel(handle.channel, of: worker)
        } catch {
            logger.error("a worker could not be asked for", metadata: ["error": "\(error)"])
            update { state, now in state.forkFailed(worker, "a worker could not be asked for: \(error)", now: now) }
        }
    }

    // MARK: The socket

    func read(_ number: UInt32, _ handle: WorkerHandle) {
        switch handle.read(chunk: { shared.withState { $0.chunk(of: number) } }) {
        case .some(let news):
            hear(news, number, handle)
        case .nothing:
            break
        case .ended:
            unwatch(handle)
            update { state, now in state.socketEnded(number, now: now) }
        case .violated(let news, let error):
            hear(news, number, handle)
            logger.error(
                "a worker broke the protocol and is killed",
                metadata: ["worker": "\(number)", "violation": "\(error)"])
            unwatch(handle)
            update { state, now in state.violated(number, error, now: now) }
        }
    }

    private func hear(_ news: [WorkerHandle.News], _ number: UInt32, _ handle: WorkerHandle) {
        // What jobs printed was written before their outcomes and has to be heard before them: with the last outcome their batch
        // ends, and takes no more lines. What is printed up to the chunk's end belongs to the chunk.
        if news.contains(where: \.isEndOfChunk) {
            log(handle.output.drain(), number, handle, isLast: true)
        } else if news.contains(where: \.bringsOutcomes) {
            log(handle.output.readAll(), number, handle, isLast: true)
        }
        for item in news {
            switch item {
            case .heard(let event):
                onEvent(event)
            case .completed(let finished, let busy):
                handle.output.forget()
                let process = shared.withState { $0.needsSize(of: number) ? $0.process(of: number) : nil }
                let bytes = process.flatMap(ProcessStatus.residentBytes)
                update { state, now in
                    state.completed(number, finished: finished, busy: busy, residentBytes: bytes, now: now)
                }
            case .ready:
                update { state, now in state.ready(number, now: now) }
                if isPaused { watch(number, handle) }
            case .setupFailed(let reason):
                update { state, now in state.stepFailed(number, reason, now: now) }
            }
        }
    }

    func collect(_ number: UInt32, _ handle: WorkerHandle, _ chunk: Chunk?) {
        unwatch(handle)
        var remains = PoolState.Remains(finished: 0, runningSince: nil)
        if let chunk {
            let left = handle.collect(chunk)
            for event in left.events { onEvent(event) }
            remains = left.remains
        } else {
            if let reason = handle.setupFailure() {
                update { state, now in state.stepFailed(number, reason, now: now) }
            }
            log(handle.output.drain(), number, handle)
            remains.standardError = handle.output.standardError(since: nil)
        }
        remains.isMemoryShort = shared.withState { $0.isKillUnexplained(number) } && memory.hasStruck()
        update { [remains] state, now in state.collected(number, remains, now: now) }
    }

    // MARK: What it prints

    func readOutput(_ number: UInt32, _ handle: WorkerHandle, _ stream: WorkerOutput.Stream) {
        let pipe = handle.output.pipe(of: stream)
        let (heard, isOpen) = handle.output.read(stream)
        if !isOpen { leave(pipe) }
        log(heard, number, handle)
    }

    /// Lines are the running chunk's; between chunks, the service's own.
    /// - Parameter isLast: it may be the last that is heard of the running job.
    func log(_ heard: WorkerOutput.Heard, _ number: UInt32, _ handle: WorkerHandle, isLast: Bool = false) {
        guard !heard.isEmpty || isLast && handle.hasDropped else { return }
        if let chunk = shared.withState({ $0.chunk(of: number) }) {
            for event in handle.tell(heard, handle.position(in: chunk), of: chunk, isLast: isLast) { onEvent(event) }
        } else {
            for line in heard.lines {
                logger.debug(
                    "a worker without a job printed", metadata: ["worker": "\(number)", "line": "\(line.text)"])
            }
        }
    }

    // MARK: Watching

    /// Tells the poller what to look for in the worker's socket.
    func watch(_ number: UInt32, _ handle: WorkerHandle) {
        var interest: Poller.Interest = isPaused && handle.isReady ? [] : [.read]
        if handle.isSending { interest.insert(.write) }
        do {
            try poller.modify(
                handle.channel.socket.rawValue, token: Token.socket(number).rawValue, interest: interest)
        } catch {
            logger.error("a worker's socket cannot be watched", metadata: ["error": "\(error)"])
            update { state, now in state.socketEnded(number, now: now) }
        }
    }

    /// The socket is not looked at any more.
    func unwatch(_ handle: WorkerHandle) {
        guard handle.isWatched else { return }
        handle.isWatched = false
        leave(handle.channel.socket.rawValue)
    }
}
