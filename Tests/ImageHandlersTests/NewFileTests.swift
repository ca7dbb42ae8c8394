import Glibc
import Platform
import Testing

@testable import ImageHandlers

@Suite struct NewFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func make(_ name: String, canBeUnnamed: Bool = true) throws -> NewFile {
        let place = Descriptor(adopting: open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        let file = try NewFile(name, in: place, canBeUnnamed: canBeUnnamed)
        try #require(write(file.descriptor, "new", 3) == 3)
        return file
    }

    @Test(arguments: [true, false])
    func appearsWhenItIsComplete(_ canBeUnnamed: Bool) throws {
        let file = try make("a", canBeUnnamed: canBeUnnamed)
        #expect(try !folder.list().contains("a"))
        #expect(try file.complete() == 3)
        #expect(try folder.list() == ["a"])
        #expect(try folder.read("a") == Array("new".utf8))
    }

    @Test(arguments: [true, false])
    func replacesWhatIsThere(_ canBeUnnamed: Bool) throws {
        let elsewhere = try TemporaryFolder()
        try elsewhere.write([7], to: "precious")
        try folder.write([1, 2], to: "file")
        try folder.link("link", to: elsewhere.path + "/precious")
        try folder.link("dangling", to: "nowhere")
        for name in ["file", "link", "dangling"] {
            #expect(try make(name, canBeUnnamed: canBeUnnamed).complete() == 3)
            #expect(try folder.read(name) == Array("new".utf8))
        }
        #expect(try folder.list() == ["dangling", "file", "link"])
        #expect(try elsewhere.read("precious") == [7])
    }

    @Test(arguments: [true, false])
    func leavesNothingWhenItFails(_ canBeUnnamed: Bool) throws {
        try folder.makeFolder("taken")
        #expect(throws: SystemError.self) { try make("taken", canBeUnnamed: canBeUnnamed).complete() }
        _ = try make("abandoned", canBeUnnamed: canBeUnnamed)
        #expect(try folder.list() == ["taken"])
    }

    /// So that nothing stays after `kill -9`, when nobody removes anything.
    @Test func hasNoNameUntilItIsComplete() throws {
        let place = Descriptor(adopting: open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        let isPossible = try UnnamedFile.create(in: place.rawValue) != nil
        for (canBeUnnamed, names) in [(true, isPossible ? 0 : 1), (false, 1)] {
            let file = try make("a", canBeUnnamed: canBeUnnamed)
            #expect(try folder.list().count == names)
            withExtendedLifetime(file) {}
        }
    }

    @Test func othersLeftoversAreInNobodysWay() throws {
        try folder.write([1], to: ".jobmill-0.part")
        for canBeUnnamed in [true, false] { _ = try make("a", canBeUnnamed: canBeUnnamed).complete() }
        #expect(try folder.list() == [".jobmill-0.part", "a"])
    }

    @Test func permissionsFollowTheProcess() throws {
        for (name, canBeUnnamed) in [("unnamed", true), ("hidden", false)] {
            _ = try make(name, canBeUnnamed: canBeUnnamed).complete()
        }
        var (unnamed, hidden) = (stat(), stat())
        try #require(stat("\(folder.path)/unnamed", &unnamed) == 0 && stat("\(folder.path)/hidden", &hidden) == 0)
        #expect(unnamed.st_mode == hidden.st_mode)
    }
}
