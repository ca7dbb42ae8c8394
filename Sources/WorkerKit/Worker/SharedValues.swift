import JobModel
import Synchronization

/// A batch's shared value in a worker, decoded at most once for each type that handlers want it as.
final class SharedContent: Sendable {
    let batch: BatchID
    /// JSON text.
    let bytes: [UInt8]
    private let decoded = Mutex<[ObjectIdentifier: any Sendable]>([:])

    init(_ value: SharedValue) {
        batch = value.batch
        bytes = value.bytes
    }

    func value<Value: Decodable & Sendable>(as type: Value.Type) throws -> Value {
        if let value = decoded.withLock({ $0[ObjectIdentifier(type)] }) as? Value { return value }
        let read = PayloadReader<Value>.best("the shared value")
        let value = try bytes.withUnsafeBytes { try read($0) }
        decoded.withLock { $0[ObjectIdentifier(type)] = value }
        return value
    }
}

/// The shared values that a worker keeps: those that came last.
struct SharedValues {
    private var contents: [SharedContent] = []

    mutating func add(_ value: SharedValue) {
        contents.removeAll { $0.batch == value.batch }
        if contents.count == ServerFrame.sharedValuesKept { contents.removeFirst() }
        contents.append(SharedContent(value))
    }

    subscript(batch: BatchID) -> SharedContent? { contents.first { $0.batch == batch } }
}
