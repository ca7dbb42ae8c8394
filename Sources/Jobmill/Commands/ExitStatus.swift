/// The exit statuses of every command, as its help tells them.
enum ExitStatus {
    static let success: Int32 = 0
    /// Some jobs failed, or the service stopped because of an error.
    static let failure: Int32 = 1
    /// The command line makes no sense.
    static let usage: Int32 = 2
    /// The server refused the request.
    static let refused: Int32 = 3
    /// The server cannot be reached.
    static let unreachable: Int32 = 4
}
