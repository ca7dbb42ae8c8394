import JobModel

/// The values that batches share with their jobs, as far as they are in memory; what was used last stays longest.
struct SharedValues: Sendable {
    private let limit: Int
    /// The one that was used last comes last. Few: each is looked for among all.
    private var values: [SharedValue] = []
    private var bytes = 0

    /// - Parameter limit: bytes of all values together; the newest one is kept however large it is.
    init(limit: Int) { self.limit = limit }

    /// Nil: it must be read first.
    mutating func use(_ batch: BatchID) -> SharedValue? {
        guard let index = values.firstIndex(where: { $0.batch == batch }) else { return nil }
        let value = values.remove(at: index)
        values.append(value)
        return value
    }

    mutating func keep(_ value: SharedValue) {
        drop(value.batch)
        values.append(value)
        bytes += SharedValues.weight(value)
        while bytes > limit, values.count > 1 { bytes -= SharedValues.weight(values.removeFirst()) }
    }

    mutating func drop(_ batch: BatchID) {
        guard let index = values.firstIndex(where: { $0.batch == batch }) else { return }
        bytes -= SharedValues.weight(values.remove(at: index))
    }

    /// With something for the array itself, so that there are never too many to look through.
    private static func weight(_ value: SharedValue) -> Int { value.bytes.count + 65_536 }
}
