import JobModel
import Logging
import Platform
import WorkerKit

extension PoolLoop {
    func perform(_ actions: [PoolState.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: PoolState.Action) {
        switch action {
        case .spawnZygote(let place):
            do {
                try spawnZygote(place)
            } catch {
                missZygote(place, error)
            }
        case .killZygote(let place):
            zygotes[place]?.kill()
        case .fork(let worker, let place):
            fork(worker, place)
        case .send(let worker, let assignment):
            guard let handle = handles[worker] else { return }
            if !handle.channel.send(shared.bytes(of: assignment)) {
                handle.isSending = true
                watch(worker, handle)
            }
        case .kill(let worker, let signal):
            // The process may be reaped since this was wanted, and its number be somebody else's.
            if let process = shared.withState({ $0.process(of: worker) }) { ChildProcess.signalGroup(process, signal) }
        case .recall(let worker, let chunk):
            handles[worker]?.recall(chunk)
        case .dismiss(let worker):
            handles[worker]?.channel.endSending()
        case .inspect(let worker):
            inspect(worker)
        case .measure(let worker):
            measure(worker)
        case .collect(let worker, let chunk):
            if let handle = handles[worker] {
                collect(worker, handle, chunk)
            } else {
                // Its fork was wanted and never asked for: the zygote died before.
                let remains = PoolState.Remains(finished: 0, runningSince: nil)
                update { state, now in state.collected(worker, remains, now: now) }
            }
        case .drop(let worker):
            if let handle = handles.removeValue(forKey: worker) { unwatch(handle) }
            shared.setChannel(nil, of: worker)
        case .adopt(let process):
            orphans.add(process)
        case .readAllowance:
            let allowance = CPUAllowance.current()
            update { state, now in state.allowed(allowance, now: now) }
        case .emit(let event):
            onEvent(event)
        case .wake:
            break
        }
    }

    /// Looks at a worker's page and process.
    private func inspect(_ number: UInt32) {
        guard let handle = handles[number] else { return }
        let (chunk, process) = shared.withState { ($0.chunk(of: number), $0.process(of: number)) }
        guard let chunk else { return }
        let running = handle.runningJob
        let isLong = running.map { $0.chunk == chunk.id && .now() - $0.startedAt >= PoolState.firstLook } ?? false
        if isLong, !isPaused, let news = handle.anticipate(chunk) {
            log(handle.output.readAll(), number, handle, isLast: true)
            onEvent(news)
        } else {
            // A job that has said too much may be silent for long.
            log(WorkerOutput.Heard(), number, handle, isLast: true)
        }
        let sight = PoolState.Sight(
            running: running, hasBegun: handle.hasBegun(chunk), finished: handle.finished(of: chunk),
            isSuspended: process.flatMap(ProcessStatus.isStopped) ?? false, isHeldUp: isPaused)
        update { state, now in state.observed(number, sight, now: now) }
    }

    private func measure(_ number: UInt32) {
        guard let handle = handles[number], let process = shared.withState({ $0.process(of: number) }),
            let bytes = ProcessStatus.residentBytes(of: process)
        else { return }
        let running = handle.runningJob
        update { state, now in state.measured(number, residentBytes: bytes, running, now: now) }
    }
}
