import CSystem
import Glibc

/// How a process ended, and what it used.
package struct ProcessExit: Hashable, Sendable {
    package var processID: Int32
    /// Its exit status, if it exited.
    package var exitCode: Int32?
    /// The signal that ended it, if one did.
    package var signal: Int32?
    /// User and system time.
    package var cpuSeconds: Double
    package var peakResidentBytes: Int64

    package init(
        processID: Int32, exitCode: Int32? = nil, signal: Int32? = nil, cpuSeconds: Double = 0,
        peakResidentBytes: Int64 = 0
    ) {
        self.processID = processID
        self.exitCode = exitCode
        self.signal = signal
        self.cpuSeconds = cpuSeconds
        self.peakResidentBytes = peakResidentBytes
    }
}

/// Starting, forking, signalling and reaping processes.
package enum ChildProcess {
    /// The descriptor at which a spawned process finds its end of the channel.
    package static let channelNumber: Int32 = 3

    /// Starts a program in a session of its own, so that a terminal's Ctrl-C does not reach it. It inherits nothing but the
    /// standard error stream (also as its standard output) and `channel`.
    /// - Parameters:
    ///   - path: looked for in PATH if it has no slash.
    ///   - environment: beside the caller's environment.
    ///   - workingFolder: nil: the caller's.
    /// - Returns: the process identifier.
    package static func spawn(
        _ path: String, arguments: [String], environment: [String: String] = [:], workingFolder: String? = nil,
        channel: borrowing Descriptor
    ) throws(SystemError) -> Int32 {
        let copies: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        let entries: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for copy in copies + entries { free(copy) } }
        var process: pid_t = 0
        let code = csystem_spawn(path, copies + [nil], entries + [nil], workingFolder, channel.rawValue, &process)
        guard code == 0 else { throw SystemError("posix_spawn of \(path)", code: code) }
        return process
    }

    package enum Side: Equatable, Sendable {
        case child
        case parent(child: Int32)
    }

    /// Only for a process that has never started a thread: a lock that another thread holds would stay locked in the child
    /// for ever. Check `threadCount` first.
    package static func fork() throws(SystemError) -> Side {
        let process = csystem_fork()
        guard process >= 0 else { throw SystemError("fork") }
        return process == 0 ? .child : .parent(child: process)
    }

    /// How many threads this process has; nil where `/proc` does not tell.
    package static func threadCount() -> Int? {
        // A folder of /proc has two links and one for each of its folders.
        var status = stat()
        guard stat("/proc/self/task", &status) == 0, status.st_nlink > 2 else { return nil }
        return Int(status.st_nlink) - 2
    }

    package enum Children: Sendable {
        case any
        case process(Int32)
        case group(Int32)
    }

    /// Reaps one child that has ended and kills what is left of its process group; nil if none has.
    package static func reap(_ children: Children = .any) throws(SystemError) -> ProcessExit? {
        var result = csystem_exit()
        let which: Int32 =
            switch children {
            case .any: 0
            case .process(let process): process
            case .group(let group): -group
            }
        switch csystem_reap(which, &result) {
        case 0:
            return nil
        case 1:
            return ProcessExit(
                processID: result.process,
                exitCode: result.exit_code >= 0 ? result.exit_code : nil,
                signal: result.signal > 0 ? result.signal : nil,
                cpuSeconds: result.cpu_seconds,
                peakResidentBytes: result.peak_resident_bytes)
        default:
            throw SystemError("waitid")
        }
    }

    /// Sleeps until a child has ended, at most so long, and reaps it then; nil if it still runs.
    package static func awaitEnd(of process: Int32, atMost span: TimeSpan) throws(SystemError) -> ProcessExit? {
        _ = try hasEnded(process, within: span)
        return try reap(.process(process))
    }

    /// Sleeps until a process, which may be anybody's, has ended, at most so long.
    package static func hasEnded(_ process: Int32, within span: TimeSpan) throws(SystemError) -> Bool {
        let milliseconds = Int32(clamping: span.nanoseconds / 1_000_000)
        return try retryingOnInterrupt("pidfd_open") { csystem_await_end(process, milliseconds) } > 0
    }

    /// Signals a process and everything else in its process group. Whether it was still there is of no interest.
    package static func signalGroup(_ process: Int32, _ signal: Int32) {
        precondition(process > 1, "a process group is named by a process")
        _ = kill(-process, signal)
    }

    package static func signal(_ process: Int32, _ signal: Int32) {
        precondition(process > 1, "a process is named by its number")
        _ = kill(process, signal)
    }

    /// Makes `process` (0: the caller) the leader of a new process group. Fails harmlessly when it already is, or is gone.
    package static func lead(_ process: Int32) {
        _ = setpgid(process, process)
    }
}

/// What a process arranges for itself once, when it begins.
package enum CurrentProcess {
    package static var parentID: Int32 { getppid() }
    package static var id: Int32 { getpid() }

    /// Shown by `ps` and `top`; the kernel keeps 15 bytes. Only from the process's first thread.
    package static func setName(_ name: String) { csystem_name_thread(name) }

    /// The kernel kills this process when the thread that started it ends. Check afterwards that the parent still lives.
    package static func dieWithParent() throws(SystemError) {
        guard csystem_die_with_parent() == 0 else { throw SystemError("prctl(PR_SET_PDEATHSIG)") }
    }

    /// Descendants that lose their parent become children of this process, which has to reap them.
    package static func adoptOrphans() throws(SystemError) {
        guard csystem_adopt_orphans() == 0 else { throw SystemError("prctl(PR_SET_CHILD_SUBREAPER)") }
    }

    package static func disableCoreFiles() throws(SystemError) {
        guard csystem_no_core_files() == 0 else { throw SystemError("setrlimit(RLIMIT_CORE)") }
    }

    /// Every signal gets its default action, and none stays blocked.
    package static func resetSignals() { csystem_reset_signals() }

    package static func ignoreSignals(_ signals: [Int32]) {
        for number in signals { _ = Glibc.signal(number, SIG_IGN) }
    }

    /// What is printed appears line by line, also in a pipe or a file.
    package static func bufferOutputByLines() { csystem_buffer_lines() }

    /// Ends at once: no exit handlers, no buffers flushed.
    package static func exit(_ code: Int32) -> Never { _exit(code) }
}
