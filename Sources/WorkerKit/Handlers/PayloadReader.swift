internal import FoundationEssentials
internal import JSONBytes

/// Finds the fastest way from JSON text to a type.
enum PayloadReader<Payload: Decodable & SendableMetatype> {
    typealias Read = @Sendable (UnsafeRawBufferPointer) throws -> Payload

    /// - Parameter subject: what is read, as sentences about it begin.
    static func best(_ subject: String = "the payload") -> Read {
        // A cast between function types, once for each handler, instead of a cast for each job.
        let direct: Any? =
            switch ObjectIdentifier(Payload.self) {
            case ObjectIdentifier(Int.self): scalar("\(subject) is not an integer", JSONScalar.integer)
            case ObjectIdentifier(Double.self): scalar("\(subject) is not a number", JSONScalar.double)
            case ObjectIdentifier(Bool.self): scalar("\(subject) is not true or false", JSONScalar.boolean)
            case ObjectIdentifier(String.self): scalar("\(subject) is not a string", JSONScalar.string)
            default: nil
            }
        return direct as? Read ?? decoding(subject)
    }

    private static func scalar<Value>(
        _ sentence: String, _ read: @escaping @Sendable (UnsafeRawBufferPointer) -> Value?
    ) -> @Sendable (UnsafeRawBufferPointer) throws -> Value {
        { text in
            guard let value = read(text) else {
                throw JobError(sentence, type: "DecodingError")
            }
            return value
        }
    }

    private static func decoding(_ subject: String) -> Read {
        let decoder = JSONCoding.decoder()
        return { text in
            do {
                return try decoder.decode(Payload.self, from: Data(text))
            } catch let error as DecodingError {
                throw JobError(PayloadReader.sentence(for: error, about: subject), type: "DecodingError")
            }
        }
    }

    private static func sentence(for error: DecodingError, about subject: String) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(subject) does not fit at \(pointer(context.codingPath)): \(context.debugDescription)"
        case .keyNotFound(let key, let context):
            "\(subject) lacks \(pointer(context.codingPath + [key]))"
        @unknown default:
            "\(subject) does not fit: \(error)"
        }
    }

    /// A JSON Pointer, as problems name places everywhere; the payload itself is "the top".
    private static func pointer(_ path: [any CodingKey]) -> String {
        if path.isEmpty { return "the top" }
        return path.map { key in
            let name = key.intValue.map(String.init) ?? key.stringValue
            return "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
        }.joined()
    }
}

/// Finds the fastest way from a type to JSON text.
enum ResultWriter<Value: Encodable & SendableMetatype> {
    typealias Write = @Sendable (Value, inout ResultBuffer) throws -> Void

    static func best() -> Write {
        let direct: Any? =
            switch ObjectIdentifier(Value.self) {
            case ObjectIdentifier(Int.self): integer
            case ObjectIdentifier(Double.self): double
            case ObjectIdentifier(Bool.self): boolean
            case ObjectIdentifier(String.self): string
            default: nil
            }
        return direct as? Write ?? encoding
    }

    private static var integer: @Sendable (Int, inout ResultBuffer) throws -> Void {
        { value, buffer in buffer.append(integer: value) }
    }

    private static var double: @Sendable (Double, inout ResultBuffer) throws -> Void {
        { value, buffer in
            guard value.isFinite else { throw UnencodableResult(message: "the result \(value) is no JSON number") }
            buffer.append(double: value)
        }
    }

    private static var boolean: @Sendable (Bool, inout ResultBuffer) throws -> Void {
        { value, buffer in buffer.append(contentsOf: value ? "true".utf8 : "false".utf8) }
    }

    private static var string: @Sendable (String, inout ResultBuffer) throws -> Void {
        { value, buffer in buffer.append(string: value) }
    }

    private static var encoding: Write {
        let encoder = JSONCoding.encoder()
        return { value, buffer in
            do {
                buffer.append(contentsOf: try encoder.encode(value))
            } catch let error as EncodingError {
                throw UnencodableResult(message: "the result cannot be written as JSON: \(error)")
            }
        }
    }
}
