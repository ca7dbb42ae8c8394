import JobModel
import JobStore

// Values as the tables hold them. These numbers are part of the file format: they never change.

extension Outcome {
    var stored: Int {
        switch self {
        case .succeeded: 0
        case .failed: 1
        case .cancelled: 2
        case .expired: 3
        }
    }

    init(stored: Int) throws(StoreError) {
        switch stored {
        case 0: self = .succeeded
        case 1: self = .failed
        case 2: self = .cancelled
        case 3: self = .expired
        default: throw .broken("a stored outcome has the unknown number \(stored)")
        }
    }
}

extension BatchRecord.Phase {
    var stored: Int {
        switch self {
        case .active: 0
        case .cancelling: 1
        case .completed: 2
        case .cancelled: 3
        }
    }

    init(stored: Int) throws(StoreError) {
        switch stored {
        case 0: self = .active
        case 1: self = .cancelling
        case 2: self = .completed
        case 3: self = .cancelled
        default: throw .broken("a stored phase has the unknown number \(stored)")
        }
    }
}

extension Delivery.State {
    var stored: Int {
        switch self {
        case .pending: 0
        case .delivered: 1
        case .failed: 2
        }
    }

    init(stored: Int) throws(StoreError) {
        switch stored {
        case 0: self = .pending
        case 1: self = .delivered
        case 2: self = .failed
        default: throw .broken("a stored delivery state has the unknown number \(stored)")
        }
    }
}

extension QueueSettings {
    /// A queue's name as rows of batches hold it: nil for the default one.
    static func stored(_ name: String) -> String? { name == defaultName ? nil : name }
}

extension ChunkSize {
    /// Nil for automatic, 0 for Python's rule.
    var stored: Int? {
        switch self {
        case .automatic: nil
        case .python: 0
        case .exactly(let count): count
        }
    }

    init(stored: Int?) {
        switch stored {
        case nil: self = .automatic
        case 0: self = .python
        case .some(let count): self = .exactly(count)
        }
    }
}

extension Callback {
    /// Event names hold no spaces.
    var storedEvents: String { events.joined(separator: " ") }

    static func events(stored: String) -> [String] { stored.split(separator: " ").map(String.init) }
}
