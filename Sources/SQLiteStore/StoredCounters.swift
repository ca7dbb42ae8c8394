import JSONBytes

/// Counters as `progress.counters` holds them: a JSON object of integers, or NULL if there are none.
enum StoredCounters {
    static func encode(_ counters: [String: Int64]) -> [UInt8]? {
        if counters.isEmpty { return nil }
        var writer = JSONWriter(reservingCapacity: 32 * counters.count)
        writer.beginObject()
        for (name, sum) in counters.sorted(by: { $0.key < $1.key }) {
            writer.key(named: name)
            writer.value(Int(sum))
        }
        writer.endObject()
        return writer.finish().bytes
    }

    static func decode(_ text: [UInt8]?) -> [String: Int64] {
        guard let text else { return [:] }
        var counters: [String: Int64] = [:]
        for (name, value) in JSON(trusted: text).value.members() { counters[name] = value.integer().map(Int64.init) }
        return counters
    }
}
