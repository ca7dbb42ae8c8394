import HTTPClient

/// Why a client command did not do what it was asked.
struct ClientFailure: Error, Equatable {
    let status: Int32
    /// For standard error; none if everything has been said.
    let lines: [String]

    init(_ status: Int32, _ lines: String...) { self.init(status, lines: lines) }

    init(_ status: Int32, lines: [String]) {
        self.status = status
        self.lines = lines
    }

    static func usage(_ sentence: String) -> ClientFailure { ClientFailure(ExitStatus.usage, "jobmill: \(sentence)") }

    /// Jobs failed or were cancelled, which the summary has told already.
    static let jobsDidNotSucceed = ClientFailure(ExitStatus.failure)

    static func unreachable(_ error: HTTPClientError) -> ClientFailure {
        guard error.kind == .cannotConnect || error.kind == .cannotResolve else {
            return ClientFailure(ExitStatus.unreachable, "jobmill: \(error.message)")
        }
        return ClientFailure(
            ExitStatus.unreachable, "jobmill: \(error.message)",
            "Is the service running? Start it with 'jobmill serve', or name another one with --server or JOBMILL_SERVER."
        )
    }

    static func refused(status: Int, body: [UInt8]) -> ClientFailure {
        var lines = ProblemText.lines(status: status, body: body)
        if status == 401 { lines.append("Give the token with --token-file, --token or JOBMILL_TOKEN.") }
        return ClientFailure(ExitStatus.refused, lines: lines)
    }

    /// - Parameter expected: what the answer should have been, such as `batch`.
    static func unexpectedAnswer(_ expected: String) -> ClientFailure {
        ClientFailure(
            ExitStatus.refused, "jobmill: the server's answer is no \(expected); is it a Jobmill service?")
    }
}
