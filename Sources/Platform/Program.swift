import CSystem
import Glibc

/// A program with its arguments and its environment, ready to be started again and again.
package final class Program {
    private let path: CStrings
    private let arguments: CStrings
    private let environment: CStrings
    private let folder: CStrings?

    /// - Parameters:
    ///   - path: of the file; nothing is looked up.
    ///   - arguments: with the program's name as the first.
    ///   - environment: `NAME=value` each; all that it gets.
    ///   - workingFolder: nil: the caller's.
    package init(path: String, arguments: [String], environment: [String], workingFolder: String?) {
        self.path = CStrings([path])
        self.arguments = CStrings(arguments)
        self.environment = CStrings(environment)
        folder = workingFolder.map { CStrings([$0]) }
    }

    /// Starts it in the caller's process group, so that a signal to the group reaches it. All signals have their default action, and it
    /// inherits nothing but the three streams. The kernel kills it when the calling thread ends.
    ///
    /// Threads of the caller do not matter, and neither does its size: memory is lent, not copied.
    ///
    /// - Parameter additions: `NAME=value` each, behind the environment; their names must not be in it.
    /// - Returns: the process identifier; reap it.
    package func start(
        adding additions: [String] = [], input: borrowing Descriptor, output: borrowing Descriptor,
        errors: borrowing Descriptor
    ) throws(SystemError) -> Int32 {
        let added = CStrings(additions)
        let all = environment.pointers.dropLast() + added.pointers
        var process: pid_t = 0
        guard let path = path.pointers.first ?? nil else { throw SystemError("execve", code: ENOENT) }
        let (input, output, errors) = (input.rawValue, output.rawValue, errors.rawValue)
        let folder = self.folder?.pointers.first ?? nil
        let code = arguments.pointers.withUnsafeBufferPointer { arguments in
            Array(all).withUnsafeBufferPointer { environment -> Int32 in
                // Both end with a null pointer and so have a base.
                guard let arguments = arguments.baseAddress, let environment = environment.baseAddress else {
                    return EINVAL
                }
                var command = csystem_command(
                    path: path, arguments: arguments, environment: environment, folder: folder, input: input,
                    output: output, errors: errors)
                return csystem_start_command(&command, &process)
            }
        }
        // The pointers are not seen by the compiler once they are in the struct.
        withExtendedLifetime((self, added)) {}
        guard code == 0 else { throw SystemError("starting \(String(cString: path))", code: code) }
        return process
    }
}

/// Strings as C wants them, with a null pointer behind them.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) { pointers = strings.map { strdup($0) } + [nil] }

    deinit { for pointer in pointers { free(pointer) } }
}

extension ChildProcess {
    /// A descriptor that becomes readable when the child ends.
    package static func exitDescriptor(of process: Int32) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try retryingOnInterrupt("pidfd_open") { csystem_exit_descriptor(process) })
    }

    /// Lets a child use as much more processor time as the calling process still may.
    /// - Parameter forGood: if it does not mind SIGXCPU, SIGKILL comes a second later; it never gets more.
    /// - Returns: the seconds after which SIGXCPU comes; nil: never.
    package static func shareCPULimit(with process: Int32, forGood: Bool) throws(SystemError) -> Int? {
        let seconds = csystem_share_cpu_limit(process, forGood ? 1 : 0)
        guard seconds >= 0 else { throw SystemError("prlimit") }
        return seconds > 0 ? Int(seconds) : nil
    }

    /// Sleeps until the child has ended, and reaps it.
    package static func awaitEnd(of process: Int32) throws(SystemError) -> ProcessExit {
        while true {
            if let exit = try awaitEnd(of: process, atMost: .milliseconds(60_000)) { return exit }
            // Somebody else has reaped it, or it never was a child.
            if kill(process, 0) != 0 { throw SystemError("waiting for a child", code: ECHILD) }
        }
    }

    /// Whether the caller has such children, also ones that have ended and are not reaped.
    package static func exist(_ children: Children = .any) -> Bool {
        var information = siginfo_t()
        let (which, number): (idtype_t, Int32) =
            switch children {
            case .any: (P_ALL, 0)
            case .process(let process): (P_PID, process)
            case .group(let group): (P_PGID, group)
            }
        return waitid(which, id_t(number), &information, WEXITED | WNOHANG | WNOWAIT) == 0
    }
}
