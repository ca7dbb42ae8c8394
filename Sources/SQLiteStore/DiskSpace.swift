import Glibc
import JobStore
import Platform

/// Watches the disk: refuses new work above the watermark, and gives the ballast back when the disk is full, so that
/// accepted work can be finished. All but `shortage` is for the writer's thread alone.
struct DiskSpace: Sendable {
    private let folder: StoreFolder
    private let minimumFreeBytes: Int
    private let ballastBytes: Int
    private var lastLook: MonotonicTime?
    private var refusal: StoreError?

    /// Sets the ballast aside if there is room for it.
    init(folder: StoreFolder, minimumFreeBytes: Int, ballastBytes: Int) {
        self.folder = folder
        self.minimumFreeBytes = minimumFreeBytes
        self.ballastBytes = ballastBytes
        loadBallast(free: freeBytes() ?? 0)
    }

    /// Why no new work can be taken, or nil. Looks at the disk at most once a second.
    mutating func refusesNewWork(now: MonotonicTime = .now()) -> StoreError? {
        if let lastLook, now - lastLook < .milliseconds(1000) { return refusal }
        lastLook = now
        if let free = freeBytes() { loadBallast(free: free) }
        refusal = shortage
        return refusal
    }

    /// Why no new work could be taken right now, or nil. Any thread may ask.
    var shortage: StoreError? {
        guard let free = freeBytes() else { return nil }
        // Without ballast, new work waits until there is room for it again.
        let needed = minimumFreeBytes + (hasBallast ? 0 : 2 * ballastBytes)
        return free < needed ? .full("\(free) bytes are free in \(folder.path), new work needs \(needed)") : nil
    }

    /// - Returns: whether there was ballast to throw off.
    @discardableResult
    mutating func throwOffBallast() -> Bool {
        guard hasBallast else { return false }
        lastLook = nil
        return unlink(folder.ballast) == 0
    }

    /// Whether the write-ahead log, moved into the database as a whole, would fit beside itself. If not, what is free is of
    /// more use to what is recorded next.
    var hasRoomToMoveLog: Bool {
        var status = stat()
        guard let free = freeBytes(), stat(folder.log, &status) == 0 else { return false }
        return free >= Int(status.st_size)
    }

    /// Whether so much may be taken without coming near the watermark.
    func hasRoom(for bytes: Int) -> Bool {
        guard let free = freeBytes() else { return false }
        return free - bytes >= minimumFreeBytes + 2 * ballastBytes
    }

    private var hasBallast: Bool { access(folder.ballast, F_OK) == 0 }

    private func freeBytes() -> Int? {
        var status = statvfs()
        guard statvfs(folder.path, &status) == 0 else { return nil }
        // Some file systems without a limit answer with the largest numbers there are.
        let (bytes, isTooMuch) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return isTooMuch ? .max : Int(clamping: bytes)
    }

    /// Ballast is only taken when there is plenty left beside it.
    private func loadBallast(free: Int) {
        guard ballastBytes > 0, !hasBallast, free >= minimumFreeBytes + 2 * ballastBytes else { return }
        let number = open(folder.ballast, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { return }
        let file = Descriptor(adopting: number)
        if posix_fallocate(file.rawValue, 0, ballastBytes) != 0 { unlink(folder.ballast) }
    }
}
