import FoundationEssentials
import Testing
import Webhooks

@Suite struct WebhookSecretTests {
    @Test func readsAndWritesItsText() throws {
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        #expect(try WebhookSecret(text).key.count == 24)
        #expect(try WebhookSecret(text).text == text)
    }

    @Test func generatesDifferentOnes() throws {
        let one = WebhookSecret.generate()
        #expect(one.key.count == 32)
        #expect(one != .generate())
        #expect(try WebhookSecret(one.text) == one)
    }

    @Test func hidesItselfInDescriptions() {
        let secret = WebhookSecret.generate()
        #expect(!"\(secret)".contains(secret.text.dropFirst(6)))
    }

    @Test(arguments: [
        ("", "does not begin with whsec_"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_", "holds 0 bytes instead of 24 to 64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa", "is not base64 behind whsec_"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "is not base64 behind whsec_"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "holds 21 bytes instead of 24 to 64"),
        ("whsec_" + String(repeating: "AAAA", count: 22), "holds 66 bytes instead of 24 to 64"),
    ])
    func refuses(text: String, problem: String) { #expect(WebhookSecret.check(text) == problem) }

    @Test func isKeptInAFileForItsOwnerAlone() throws {
        let folder = try TemporaryFolder()
        let first = try WebhookSecret.load(orCreateIn: folder.path)
        let path = "\(folder.path)/webhook-secret"
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["webhook-secret"])
        #expect(try WebhookSecret.load(orCreateIn: folder.path) == first)
    }

    @Test func aDamagedFileIsNeitherUsedNorReplaced() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/webhook-secret"
        try Data("hello\n".utf8).write(to: URL(filePath: path))
        let error = try #require(throws: WebhookSecret.FileError.self) {
            try WebhookSecret.load(orCreateIn: folder.path)
        }
        #expect(error.description == "\(path) holds no webhook secret: it does not begin with whsec_")
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("hello\n".utf8))
    }

    @Test func aMissingFolderIsAnError() throws {
        let error = try #require(throws: WebhookSecret.FileError.self) {
            try WebhookSecret.load(orCreateIn: "/nonexistent/folder")
        }
        #expect(error.description.contains("No such file or directory"))
    }

    private final class TemporaryFolder {
        let path: String
        init() throws {
            path = FileManager.default.temporaryDirectory.appending(path: "webhooks-\(UUID())").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }
}
