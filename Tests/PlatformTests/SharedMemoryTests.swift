import Glibc
import Testing

@testable import Platform

@Suite struct SharedMemoryTests {
    @Test func twoMappingsSeeTheSame() throws {
        let file = try MemoryFile.make(name: "test", size: 8192)
        let first = try SharedMemory(mapping: file, size: 8192)
        let second = try SharedMemory(mapping: file, size: 8192)
        first.storeWord(42, at: 8)
        #expect(second.loadWord(at: 8) == 42)
        [1, 2, 3].withUnsafeBytes { first.write($0, at: 100) }
        let copy = second.withBytes(100..<103) { Array($0.prefix(1)) }
        #expect(copy == [1])
    }

    @Test func nobodyCanShrinkIt() throws {
        let file = try MemoryFile.make(name: "test", size: 4096)
        #expect(ftruncate(file.rawValue, 0) != 0)
        #expect(ftruncate(file.rawValue, 8192) != 0)
    }

    @Test func aFileThatIsTooShortIsNotMapped() throws {
        let file = try MemoryFile.make(name: "test", size: 4096)
        #expect(throws: SystemError.self) { _ = try SharedMemory(mapping: file, size: 8192) }
    }
}
