import Glibc
import Platform
import Testing
import WorkerKit

@testable import ImageHandlers

@Suite struct FileRootsTests {
    private func place() throws -> TemporaryFolder {
        let place = try TemporaryFolder()
        for folder in ["root", "root/sub", "other", "rootless"] { try place.makeFolder(folder) }
        for file in ["root/a", "root/sub/b", "other/c", "rootless/d", "secret"] { try place.write([1], to: file) }
        try place.link("root/in", to: "sub/b")
        try place.link("root/out", to: "../secret")
        try place.link("root/outfolder", to: "../rootless")
        try place.link("alias", to: "root")
        return place
    }

    private func type(_ body: () throws(JobError) -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return error.type
        }
    }

    @Test func opensBelowItsFolders() throws {
        let place = try place()
        let roots = try FileRoots(["\(place.path)/root", "\(place.path)/other/"])
        for path in [
            "a", "sub/b", "in", "./sub/../a", "\(place.path)/root/a", "\(place.path)/root//sub/b",
            "\(place.path)/other/c",
        ] {
            #expect(throws: Never.self, "\(path)") { _ = try roots.openFile(path) }
        }
        // Paths through a link to a folder that was given that way.
        let alias = try FileRoots(["\(place.path)/alias"])
        #expect(throws: Never.self) { _ = try alias.openFile("\(place.path)/alias/a") }
        #expect(throws: Never.self) { _ = try alias.openFile("\(place.path)/root/a") }
    }

    @Test func refusesEverythingElse() throws {
        let place = try place()
        let roots = try FileRoots(["\(place.path)/root", "\(place.path)/other"])
        for path in [
            "../secret", "out", "outfolder/d", "sub/../../secret", "\(place.path)/secret", "\(place.path)/rootless/d",
            "/etc/passwd",
            "\(place.path)/root/../secret", "\(place.path)/root/../root/a", "/",
        ] {
            #expect(type { () throws(JobError) in _ = try roots.openFile(path) } == "OutsideOfFiles", "\(path)")
            #expect(type { () throws(JobError) in _ = try roots.openFolder(path + "/new/") } != nil, "\(path)")
        }
        #expect(type { () throws(JobError) in _ = try roots.openFile("none") } == "FileNotFound")
        #expect(type { () throws(JobError) in _ = try roots.openFile("sub") } == "NotAFile")
        #expect(type { () throws(JobError) in _ = try roots.openFile("\(place.path)/root") } == "NotAFile")
        try #require(mkfifo("\(place.path)/root/pipe", 0o600) == 0)
        #expect(type { () throws(JobError) in _ = try roots.openFile("pipe") } == "NotAFile")
        #expect(try place.list("rootless") == ["d"])
        #expect(try place.list() == ["alias", "other", "root", "rootless", "secret"])
    }

    @Test func makesFoldersThatAreMissing() throws {
        let place = try place()
        let roots = try FileRoots(["\(place.path)/root"])
        for path in ["new/deep/folder/", "sub", "./", "\(place.path)/root/absolute/x"] {
            #expect(throws: Never.self, "\(path)") { _ = try roots.openFolder(path) }
        }
        #expect(try place.list("root/new/deep") == ["folder"])
        #expect(try place.list("root/absolute") == ["x"])
        #expect(type { () throws(JobError) in _ = try roots.openFolder("a/x/") } == "FileError")
    }

    @Test func withoutFoldersNothingOpens() throws {
        let roots = try FileRoots([])
        let error = #expect(throws: JobError.self) { _ = try roots.openFile("/etc/passwd") }
        #expect(error?.type == "NoFiles")
        #expect(error?.message.contains("--files") == true)
    }

    @Test func aRootMustBeAFolder() throws {
        let place = try place()
        for path in ["\(place.path)/none", "\(place.path)/secret"] {
            #expect(throws: SystemError.self) { _ = try FileRoots([path]) }
        }
    }
}
