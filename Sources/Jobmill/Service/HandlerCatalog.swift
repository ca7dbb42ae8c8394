import Synchronization

/// The names of the handlers that this program has compiled in.
struct HandlerCatalog: Sendable {
    /// The program's own.
    var own: [String]
    /// Those for trying and testing, served with `--demo`.
    var demo: [String]
    /// Those that prepare something before the first job.
    var preparing: Set<String> = []

    private static let stored = Mutex(HandlerCatalog(own: [], demo: []))

    /// Set once by `Jobmill.main`, before a command runs: the command line parser makes its commands itself, so they cannot be
    /// handed anything.
    static var compiledIn: HandlerCatalog {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
