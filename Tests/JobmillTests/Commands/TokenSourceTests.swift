import ArgumentParser
import Foundation
import Testing

@testable import Jobmill

@Suite struct TokenSourceTests {
    private let good = "0123456789abcdef0123"

    @Test func `the environment's token is taken, a file counts more`() throws {
        #expect(try TokenSource(file: nil, environment: [:]).load() == nil)
        #expect(try TokenSource(file: nil, environment: ["JOBMILL_TOKEN": good]).load() == good)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("\(good)-file\n".utf8).write(to: file)
        #expect(try TokenSource(file: file.path, environment: ["JOBMILL_TOKEN": good]).load() == "\(good)-file")
    }

    @Test(arguments: ["", "short", "with a space in its middle", "umlaut-ümlaut-umlaut", "tab\tin-its-middle-of-it"])
    func `a token that is no secret or no header value is refused`(token: String) {
        #expect(throws: ConfigurationError.self) {
            try TokenSource(file: nil, environment: ["JOBMILL_TOKEN": token]).load()
        }
    }

    @Test func `a file that cannot be read is refused`() {
        #expect(throws: ConfigurationError.self) { try TokenSource(file: "/no/such/file", environment: [:]).load() }
    }
}
