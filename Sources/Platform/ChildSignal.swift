import CSystem
import Glibc

/// Tells a single-threaded process through a descriptor that children have ended: a signalfd for SIGCHLD.
package struct ChildSignal: ~Copyable {
    private let descriptor: Descriptor

    /// Blocks SIGCHLD for the calling thread, and so for what it forks.
    package init() throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGCHLD)
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw SystemError("sigprocmask") }
        let number = signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
        guard number >= 0 else { throw SystemError("signalfd") }
        descriptor = Descriptor(adopting: number)
    }

    /// To be watched for reading.
    package var fileDescriptor: Int32 { descriptor.rawValue }

    /// Several children may stand behind one signal: reap until there is none.
    package borrowing func drain() {
        var information = signalfd_siginfo()
        while read(descriptor.rawValue, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {}
    }
}
