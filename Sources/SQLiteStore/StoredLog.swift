import JSONBytes
import JobModel
import JobStore

/// Lines as `logs.lines` holds them: JSON objects `{"time", "source", "text"}` with commas between them; the time is in microseconds.
enum StoredLog {
    private static let brokenLine = StoreError.broken("a stored line of a log cannot be read")

    static func encode(_ lines: some Sequence<LogLine>) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 256)
        for line in lines {
            writer.beginObject()
            writer.key("time")
            writer.value(Int(line.time.microseconds))
            writer.key("source")
            writer.value(line.source.rawValue)
            writer.key("text")
            writer.value(line.text)
            writer.endObject()
        }
        return writer.finish().bytes
    }

    static func decode(_ text: [UInt8]) throws -> [LogLine] {
        if text.isEmpty { return [] }
        let array = JSON(trusted: [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")])
        return try array.value.elements().map { try line($0) }
    }

    private static func line(_ value: JSONValue) throws -> LogLine {
        var time: Int?
        var source: LogLine.Source?
        var text: String?
        for (name, value) in value.members() {
            switch name {
            case "time": time = value.integer()
            case "source": source = value.string().flatMap(LogLine.Source.init(rawValue:))
            case "text": text = value.string()
            default: break
            }
        }
        guard let time, let source, let text else { throw brokenLine }
        return LogLine(time: Timestamp(microseconds: Int64(time)), source: source, text: text)
    }
}
