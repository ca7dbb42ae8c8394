import Glibc
import JobModel
import Platform
import WorkerKit

/// A batch's shared value as a file that commands can read, however large it is: memory of the worker, under a name that the kernel
/// gives it. It is gone with the worker, or when the next batch with a shared value comes.
final class SharedFile {
    private var batch: BatchID?
    private var file: Descriptor?

    /// - Returns: nil if the job's batch has no shared value.
    func path(for job: JobContext) throws(SystemError) -> String? {
        guard let bytes = job.sharedBytes else { return nil }
        return try path(of: bytes, batch: job.batch)
    }

    func path(of bytes: [UInt8], batch: BatchID) throws(SystemError) -> String {
        if self.batch != batch {
            let file = try MemoryFile.make(name: "jobmill-shared", size: bytes.count)
            try SharedFile.write(bytes, to: file.rawValue)
            self.file = consume file
            self.batch = batch
        }
        return "/proc/\(getpid())/fd/\(file?.rawValue ?? -1)"
    }

    private static func write(_ bytes: [UInt8], to file: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let from = written
            written += try retryingOnInterrupt("write to a memory file") {
                bytes.withUnsafeBytes { pwrite(file, $0.baseAddress.map { $0 + from }, $0.count - from, off_t(from)) }
            }
        }
    }
}
