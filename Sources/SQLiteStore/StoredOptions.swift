import JSONBytes
import JobModel

/// Options as `batches.options` holds them: a JSON object with what differs from the default, or NULL. Queue, priority and trace
/// context have columns of their own.
enum StoredOptions {
    private enum Name {
        static let chunkSize = "chunk_size"
        static let attempts = "max_attempts"
        static let backoff = "backoff"
        static let timeout = "timeout"
        static let url = "callback_url"
        static let events = "callback_events"
        static let secret = "callback_secret"
        static let metadata = "metadata"
    }

    private static let defaults = BatchOptions()

    static func encode(_ options: BatchOptions) -> [UInt8]? {
        guard !areDefault(options) else { return nil }
        var writer = JSONWriter(reservingCapacity: 256)
        writer.beginObject()
        if let size = options.chunkSize.stored { writer.member(Name.chunkSize) { $0.value(size) } }
        if options.retries.maximumAttempts != defaults.retries.maximumAttempts {
            writer.member(Name.attempts) { $0.value(options.retries.maximumAttempts) }
        }
        if options.retries.backoff != defaults.retries.backoff {
            writer.member(Name.backoff) { write(options.retries.backoff, to: &$0) }
        }
        if let timeout = options.timeout { writer.member(Name.timeout) { $0.value(timeout) } }
        if let callback = options.callback { write(callback, to: &writer) }
        if let metadata = options.metadata { writer.member(Name.metadata) { $0.raw(bytes: metadata) } }
        writer.endObject()
        return writer.finish().bytes
    }

    static func decode(_ text: [UInt8]?) -> BatchOptions {
        guard let text else { return defaults }
        var options = defaults
        var callback = Callback(url: "", events: [])
        for (name, value) in JSON(trusted: text).value.members() {
            switch name {
            case Name.chunkSize: options.chunkSize = ChunkSize(stored: value.integer())
            case Name.attempts:
                options.retries.maximumAttempts = value.integer() ?? defaults.retries.maximumAttempts
            case Name.backoff: options.retries.backoff = backoff(value) ?? defaults.retries.backoff
            case Name.timeout: options.timeout = value.double()
            case Name.url: callback.url = value.string() ?? ""
            case Name.events: callback.events = value.elements().compactMap { $0.string() }
            case Name.secret: callback.secret = value.string()
            case Name.metadata: options.metadata = Array(value.bytes)
            default: break
            }
        }
        if !callback.url.isEmpty { options.callback = callback }
        return options
    }

    private static func areDefault(_ options: BatchOptions) -> Bool {
        options.chunkSize == .automatic && options.timeout == nil && options.callback == nil
            && options.metadata == nil && options.retries == defaults.retries
    }

    private static func write(_ backoff: Backoff, to writer: inout JSONWriter) {
        writer.beginArray()
        for number in [backoff.initial, backoff.factor, backoff.maximum, backoff.jitter] { writer.value(number) }
        writer.endArray()
    }

    private static func backoff(_ value: JSONValue) -> Backoff? {
        let numbers = value.elements().compactMap { $0.double() }
        guard numbers.count == 4 else { return nil }
        return Backoff(initial: numbers[0], factor: numbers[1], maximum: numbers[2], jitter: numbers[3])
    }

    private static func write(_ callback: Callback, to writer: inout JSONWriter) {
        writer.member(Name.url) { $0.value(callback.url) }
        writer.member(Name.events) { writer in
            writer.beginArray()
            for event in callback.events { writer.value(event) }
            writer.endArray()
        }
        if let secret = callback.secret { writer.member(Name.secret) { $0.value(secret) } }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ write: (inout JSONWriter) -> Void) {
        key(named: name)
        write(&self)
    }
}
