import Glibc
import Testing

@testable import Platform

@Suite struct UnnamedFileTests {
    @Test func getsANameWhenItIsAsked() throws {
        var template = Array("/tmp/jobmill-unnamed-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        let folder = Descriptor(adopting: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { rmdir(path) }
        // Some file systems have no such files.
        guard let file = try UnnamedFile.create(in: folder.rawValue) else { return }
        try #require(write(file.rawValue, "abc", 3) == 3)
        #expect(fcntl(file.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(access("\(path)/name", F_OK) != 0)
        try UnnamedFile.link(file.rawValue, as: "name", in: folder.rawValue)
        var status = stat()
        #expect(stat("\(path)/name", &status) == 0 && status.st_size == 3)
        // It does not take a name from another file.
        let taken = #expect(throws: SystemError.self) {
            try UnnamedFile.link(file.rawValue, as: "name", in: folder.rawValue)
        }
        #expect(taken?.code == EEXIST)
        unlink("\(path)/name")
    }

    @Test func complainsWhereThereIsNoFolder() {
        #expect(throws: SystemError.self) { _ = try UnnamedFile.create(in: -1) }
    }
}
