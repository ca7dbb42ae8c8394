import JobModel
import Platform

/// What a freshly forked process does to become a worker, and its end.
enum WorkerProcess {
    /// What comes with a request to fork.
    struct Belongings: ~Copyable {
        let socket: Descriptor
        /// The memory file of the shared page.
        let page: Descriptor
        /// What becomes the standard output and the standard error.
        let output: Descriptor
        let errors: Descriptor
    }

    /// Every signal is blocked when this is called.
    /// - Parameters:
    ///   - zygote: the parent; if it is somebody else by now, the zygote has died and the worker follows.
    ///   - inherited: descriptors that the handlers' preparation has opened, in order.
    static func run(
        _ belongings: consuming Belongings, zygote: Int32, handlers: [PreparedHandler], inherited: [Int32]
    ) -> Never {
        do {
            // The zygote does the same: whoever comes first, no signal to the group is lost.
            ChildProcess.lead(0)
            CurrentProcess.setName("jobmill-worker")
            CurrentProcess.resetSignals()
            try CurrentProcess.disableCoreFiles()
            let link = try takeOver(belongings)
            // Only the standard streams, the socket and what the handlers have opened: nothing that a handler starts or
            // forgets can hold the zygote's channel or another worker's socket.
            try CurrentProcess.closeDescriptors(from: ChildProcess.channelNumber + 1, except: inherited)
            try CurrentProcess.dieWithParent()
            if CurrentProcess.parentID != zygote { CurrentProcess.exit(0) }
            try ForkedCopies.know(channel: ChildProcess.channelNumber)
            let runnable = try makeReady(handlers, link)
            var loop = WorkerLoop(handlers: runnable, socket: ChildProcess.channelNumber, link: link)
            try loop.run()
            CurrentProcess.exit(0)
        } catch let error as SystemError where error.isBrokenPipe {
            CurrentProcess.exit(0)
        } catch {
            StandardError.write("jobmill worker: \(error)")
            CurrentProcess.exit(WorkerProcess.failureCode)
        }
    }

    private static func takeOver(_ belongings: consuming Belongings) throws(SystemError) -> WorkerLink {
        let page = try SharedPage(mapping: belongings.page)
        // It stays open as long as the process lives.
        let socket = try CurrentProcess.copy(belongings.socket, to: ChildProcess.channelNumber).release()
        try StandardStreams.replace(1, by: belongings.output)
        try StandardStreams.replace(2, by: belongings.errors)
        CurrentProcess.bufferOutputByLines()
        return WorkerLink(page: page, socket: socket)
    }

    /// Does the worker step of each handler and says how that went.
    private static func makeReady(
        _ handlers: [PreparedHandler], _ link: WorkerLink
    ) throws -> [String: RunnableHandler] {
        var runnable: [String: RunnableHandler] = [:]
        do throws(StepFailure) {
            for handler in handlers { runnable[handler.name] = try handler.runnable() }
        } catch {
            try link.send(WorkerFrame.setupFailed(reason: error.description))
            throw error
        }
        // A job may be left without a descriptor for it by its limits.
        if runnable.values.contains(where: \.isCooperative) { _ = try link.wake() }
        try link.send(WorkerFrame.ready())
        return runnable
    }

    /// EX_SOFTWARE of sysexits.h.
    private static let failureCode: Int32 = 70
}
