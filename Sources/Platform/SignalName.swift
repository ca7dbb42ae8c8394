import Glibc

/// The signals' names, such as `SIGSEGV`.
package enum SignalName {
    /// `SIG` and the number, such as `SIG35`, for those without a name (the real-time signals).
    package static func of(_ number: Int32) -> String {
        names.first { $0.number == number }?.name ?? "SIG\(number)"
    }

    /// Accepts `SIGTERM` and `TERM`.
    package static func number(of name: String) -> Int32? {
        names.first { $0.name == name || $0.name.dropFirst(3) == name }?.number
    }

    private static let names: [(name: String, number: Int32)] = [
        ("SIGHUP", SIGHUP), ("SIGINT", SIGINT), ("SIGQUIT", SIGQUIT), ("SIGILL", SIGILL), ("SIGTRAP", SIGTRAP),
        ("SIGABRT", SIGABRT), ("SIGBUS", SIGBUS), ("SIGFPE", SIGFPE), ("SIGKILL", SIGKILL), ("SIGUSR1", SIGUSR1),
        ("SIGSEGV", SIGSEGV), ("SIGUSR2", SIGUSR2), ("SIGPIPE", SIGPIPE), ("SIGALRM", SIGALRM), ("SIGTERM", SIGTERM),
        ("SIGSTKFLT", 16), ("SIGCHLD", SIGCHLD), ("SIGCONT", SIGCONT), ("SIGSTOP", SIGSTOP), ("SIGTSTP", SIGTSTP),
        ("SIGTTIN", SIGTTIN), ("SIGTTOU", SIGTTOU), ("SIGURG", SIGURG), ("SIGXCPU", SIGXCPU), ("SIGXFSZ", SIGXFSZ),
        ("SIGVTALRM", SIGVTALRM), ("SIGPROF", SIGPROF), ("SIGWINCH", SIGWINCH), ("SIGIO", SIGIO), ("SIGPWR", 30),
        ("SIGSYS", SIGSYS),
    ]
}
