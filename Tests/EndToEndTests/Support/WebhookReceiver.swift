import Foundation

/// An endpoint in Python that checks signatures with the reference library `standardwebhooks` and tells what it got, one JSON
/// line for each request. `deploy/test` installs the library and names the interpreter in `JOBMILL_TEST_PYTHON`.
final class WebhookReceiver {
    private(set) var url = ""
    let secret: String
    private let process = Process()
    private let output: FileHandle
    private var buffer = Data()

    /// - Parameter failures: how many requests to answer with 500 first.
    init(secret: String, failures: Int = 0) throws {
        self.secret = secret
        guard let python = ProcessInfo.processInfo.environment["JOBMILL_TEST_PYTHON"] else {
            throw TestFailure("JOBMILL_TEST_PYTHON is not set: run the tests with deploy/test")
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("receiver.py")
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script.path, secret, String(failures)]
        process.standardOutput = pipe
        output = pipe.fileHandleForReading
        try process.run()
        let port = try readLine()
        self.url = "http://127.0.0.1:\(port)/hook"
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Blocks until the next request has come.
    func next() throws -> [String: Any] {
        let line = try readLine()
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
            throw TestFailure("not an object: \(line)")
        }
        return object
    }

    private func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer = buffer[buffer.index(after: end)...]
                return line
            }
            let more = output.availableData
            guard !more.isEmpty else { throw TestFailure("the webhook receiver ended") }
            buffer.append(more)
        }
    }
}
