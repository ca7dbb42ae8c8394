import Glibc

/// The terminal that this process was started from, if there was one.
package struct StartingTerminal: Sendable {
    /// How long a shell that says goodbye to its jobs may take to end.
    private static let farewell = TimeSpan.milliseconds(500)

    /// Who passes on to this process that the terminal closes: the leader of its session, and the parent if it belongs to that. They
    /// are often one and the same shell. Empty without a terminal.
    package let shells: Set<Int32>

    /// To be called early: a parent that has ended cannot be found any more.
    package init() {
        let (leader, parent) = (getsid(0), getppid())
        let relatives = getsid(parent) == leader ? [leader, parent] : [leader]
        // 0 stands for those who cannot be seen from here.
        shells = StartingTerminal.isOpen ? Set(relatives.filter { $0 > 0 }) : []
    }

    /// Whether the terminal is closed, or will be because its shell ends just now. Some shells say so to their jobs before they
    /// end: may sleep for a moment to see that.
    package func isClosing(_ shell: Int32) -> Bool {
        // Where it cannot be told whether the shell has ended, it may well go on.
        !StartingTerminal.isOpen || (try? ChildProcess.hasEnded(shell, within: StartingTerminal.farewell)) ?? false
    }

    private static var isOpen: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
