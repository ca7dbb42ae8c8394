import CSystem
import Glibc
import Synchronization

/// A memory file before it is mapped: what one process makes and passes to another as a descriptor.
package enum MemoryFile {
    /// - Parameter size: fixed for good; nobody can shrink the file under somebody's mapping.
    package static func make(name: String, size: Int) throws(SystemError) -> Descriptor {
        let number = csystem_memory_file(name, size)
        guard number >= 0 else { throw SystemError("memfd_create") }
        return Descriptor(adopting: number)
    }
}

/// A mapping of a memory file that another process has mapped too and may write at any time. Every access is checked
/// against the size.
package struct SharedMemory: ~Copyable {
    package let size: Int
    private let base: UnsafeMutableRawPointer

    /// Maps the file; the descriptor may be closed afterwards.
    package init(mapping file: borrowing Descriptor, size: Int) throws(SystemError) {
        let number = file.rawValue
        var status = stat()
        guard fstat(number, &status) == 0 else { throw SystemError("fstat") }
        // A shorter file would answer an access behind its end with SIGBUS.
        guard status.st_size >= size else { throw SystemError("mmap", code: EINVAL) }
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0), address != MAP_FAILED else {
            throw SystemError("mmap")
        }
        self.size = size
        base = address
    }

    deinit {
        munmap(base, size)
    }

    /// Reads a word; what the other side wrote before it stored this word is visible afterwards.
    package func loadWord(at offset: Int) -> UInt64 {
        word(at: offset).pointee.load(ordering: .acquiring)
    }

    /// Writes a word; who reads it sees everything that was written before.
    package func storeWord(_ value: UInt64, at offset: Int) {
        word(at: offset).pointee.store(value, ordering: .releasing)
    }

    /// Keeps plain reads and writes on their side of this point, where words alone do not say it.
    package func fence() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        precondition(offset >= 0 && bytes.count <= size && offset <= size - bytes.count, "outside of the shared memory")
        guard let source = bytes.baseAddress else { return }
        (base + offset).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Lends a part of the memory. The other process may change it meanwhile: copy first, then look.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= size, "outside of the shared memory")
        return try body(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    private func word(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        precondition(offset >= 0 && offset <= size - 8 && offset % 8 == 0, "no word of the shared memory")
        // Atomic<UInt64> has the layout of UInt64, which the kernel's zeroed pages are valid values of.
        return (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
