import GRDB
import Glibc
import JobStore
import Platform

extension StoreError {
    /// What an error in the midst of work means for the store.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            self.init(error)
        default:
            self = .broken("\(error)")
        }
    }

    private init(_ error: DatabaseError) {
        let detail = "\(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
        switch (error.resultCode, error.extendedResultCode) {
        case (.SQLITE_FULL, _), (_, .SQLITE_IOERR_SHMSIZE):
            // The second: there was no room for the WAL's index.
            self = .full(detail)
        case (.SQLITE_CONSTRAINT, _):
            self = .conflict(detail)
        default:
            self = .broken(detail)
        }
    }

    /// What an error during the opening of a file means: it cannot be used, whatever the reason, or there is no room to do so.
    init(opening path: String, in folder: StoreFolder, _ error: any Error) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            let detail = "\(path): \(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
            self = error.isLackOfRoom(in: folder) ? .full("there is no room to open \(detail)") : .unusable(detail)
        default:
            self = .unusable("\(path): \(error)")
        }
    }

    /// What a failed system call during the opening means.
    init(_ error: SystemError) {
        self =
            [ENOSPC, EDQUOT].contains(error.code) ? .full(error.description) : .unusable(error.description)
    }
}

extension DatabaseError {
    /// SQLite often says only that something could not be opened or written.
    fileprivate func isLackOfRoom(in folder: StoreFolder) -> Bool {
        switch (resultCode, extendedResultCode) {
        case (.SQLITE_FULL, _), (_, .SQLITE_IOERR_SHMSIZE): true
        case (.SQLITE_IOERR, _), (.SQLITE_CANTOPEN, _): folder.isFull
        default: false
        }
    }
}
