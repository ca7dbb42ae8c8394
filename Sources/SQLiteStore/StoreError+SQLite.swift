import GRDB
import JobStore

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

    /// What an error during the opening of a file means: it cannot be used, whatever the reason.
    init(opening path: String, _ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            self = .unusable("\(path): \(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))")
        default: self = .unusable("\(path): \(error)")
        }
    }
}
