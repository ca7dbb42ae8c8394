import JobModel
import Platform

/// What a freshly forked process does to become a worker, and its end.
enum WorkerProcess {
    /// - Parameters:
    ///   - zygote: the parent; if it is somebody else by now, the zygote has died and the worker follows.
    ///   - page: the memory file of the shared page.
    static func run(
        socket: consuming Descriptor, page: consuming Descriptor, zygote: Int32, handlers: [Handler],
        maximumResultBytes: Int
    ) -> Never {
        do {
            // The zygote does the same: whoever comes first, no signal to the group is lost.
            ChildProcess.lead(0)
            CurrentProcess.setName("jobmill-worker")
            CurrentProcess.resetSignals()
            CurrentProcess.bufferOutputByLines()
            try CurrentProcess.disableCoreFiles()
            let mapped = try SharedPage(mapping: page)
            // From here on only the standard streams and the socket are open: nothing that a handler starts or forgets can
            // hold the zygote's channel or another worker's socket.
            let socket = try CurrentProcess.move(socket, to: ChildProcess.channelNumber)
            _ = page.release()
            try CurrentProcess.closeDescriptors(from: ChildProcess.channelNumber + 1)
            try CurrentProcess.dieWithParent()
            if CurrentProcess.parentID != zygote { CurrentProcess.exit(0) }
            var loop = WorkerLoop(
                handlers: handlers, socket: socket.rawValue, page: mapped, maximumResultBytes: maximumResultBytes)
            try loop.run()
            CurrentProcess.exit(0)
        } catch let error as SystemError where error.isBrokenPipe {
            CurrentProcess.exit(0)
        } catch {
            StandardError.write("jobmill worker: \(error)")
            CurrentProcess.exit(WorkerProcess.failureCode)
        }
    }

    /// EX_SOFTWARE of sysexits.h.
    private static let failureCode: Int32 = 70
}

extension Handler {
    /// Fails every job: the service does not know the name (any more).
    static func unknown(_ name: String) -> Handler {
        .bytes(name) { _, _, _ in throw UnknownHandler(name: name) }
    }
}
