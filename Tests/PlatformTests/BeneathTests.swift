import FoundationEssentials
import Glibc
import Platform
import Testing

@Suite struct BeneathTests {
    typealias Open = @Sendable (String, borrowing Descriptor, Int32) throws -> Descriptor

    /// The kernel's way and the way without it decide alike.
    static let ways: [Open] = [
        { path, folder, flags in try Beneath.open(path, in: folder, flags: flags) },
        { path, folder, flags in try Beneath.openAndCheck(path, in: folder, flags: flags) },
    ]

    /// A folder `root` with a file and links, beside a file `secret` and a folder `rootless`.
    private static func withFolder(_ body: (_ root: String) throws -> Void) throws {
        var template = Array("/tmp/jobmill-beneath-XXXXXX".utf8CString)
        let place = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { try? FileManager.default.removeItem(atPath: place) }
        let root = place + "/root"
        for folder in [root, root + "/sub", place + "/rootless"] { try #require(mkdir(folder, 0o700) == 0) }
        for file in [root + "/sub/file", place + "/secret", place + "/rootless/file"] {
            close(try #require(Optional(creat(file, 0o600)).flatMap { $0 >= 0 ? $0 : nil }))
        }
        try #require(symlink("sub/file", root + "/inner") == 0)
        try #require(symlink("../secret", root + "/outer") == 0)
        try #require(symlink(place + "/secret", root + "/absolute") == 0)
        try #require(symlink("../rootless", root + "/sub/../folder") == 0)
        try body(root)
    }

    @Test(arguments: 0..<2) func opensWhatIsInside(_ way: Int) throws {
        try Self.withFolder { root in
            let folder = Descriptor(adopting: open(root, O_RDONLY | O_DIRECTORY))
            for path in ["sub/file", "inner", "sub/../sub/./file", ".", "sub//file"] {
                #expect(throws: Never.self, "\(path)") { _ = try Self.ways[way](path, folder, O_RDONLY) }
            }
        }
    }

    @Test(arguments: 0..<2) func refusesWhatLeadsOut(_ way: Int) throws {
        try Self.withFolder { root in
            let folder = Descriptor(adopting: open(root, O_RDONLY | O_DIRECTORY))
            for path in [
                "..", "../secret", "outer", "absolute", "folder/file", "sub/../../secret", root + "/../secret",
                "/etc/passwd",
            ] {
                let error = #expect(throws: SystemError.self, "\(path)") {
                    _ = try Self.ways[way](path, folder, O_RDONLY)
                }
                #expect(error?.code == EXDEV, "\(path)")
            }
        }
    }

    @Test(arguments: 0..<2) func tellsWhatIsMissing(_ way: Int) throws {
        try Self.withFolder { root in
            let folder = Descriptor(adopting: open(root, O_RDONLY | O_DIRECTORY))
            let error = #expect(throws: SystemError.self) { _ = try Self.ways[way]("sub/none", folder, O_RDONLY) }
            #expect(error?.code == ENOENT)
        }
    }
}
