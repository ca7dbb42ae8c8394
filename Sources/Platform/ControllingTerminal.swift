import Glibc

/// The terminal that this process was started from, if there is one.
package enum ControllingTerminal {
    /// False as well when it has been closed.
    package static var exists: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
