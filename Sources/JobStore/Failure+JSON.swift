package import JSONBytes
package import JobModel

// The error object: how a failure is shown to clients, stored with an attempt, and stored as the body of a failed job.

extension Failure {
    /// `{"kind", "message", "type"?, "traceback"?, "exit_code"?, "signal"?, "certificate"?}`.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("kind")
        writer.value(kind.rawValue)
        writer.key("message")
        writer.value(message)
        if let type {
            writer.key("type")
            writer.value(type)
        }
        if let traceback {
            writer.key("traceback")
            writer.value(traceback)
        }
        if let death {
            death.write(to: &writer)
        }
        writer.endObject()
    }

    /// The error object as JSON text.
    package var json: [UInt8] {
        var writer = JSONWriter(reservingCapacity: 128)
        write(to: &writer)
        return writer.finish().bytes
    }

    /// Reads an error object back; nil if it is none.
    package init?(_ value: JSONValue) {
        var fields = ErrorFields()
        for (key, value) in value.members() { fields.take(key, value) }
        guard let kind = fields.kind, let message = fields.message else { return nil }
        self.init(
            kind: kind, message: message, type: fields.type, traceback: fields.traceback, death: fields.certificate)
    }
}

extension DeathCertificate {
    fileprivate func write(to writer: inout JSONWriter) {
        if let exitCode {
            writer.key("exit_code")
            writer.value(Int(exitCode))
        }
        if let signal {
            writer.key("signal")
            writer.value(signal)
        }
        writer.key("certificate")
        writer.beginObject()
        writer.key("pid")
        writer.value(Int(processID))
        writer.key("cpu_seconds")
        writer.value(cpuSeconds)
        writer.key("peak_resident_bytes")
        writer.value(Int(peakResidentBytes))
        writer.key("wall_seconds")
        writer.value(wallSeconds)
        if let standardError {
            writer.key("stderr")
            writer.value(standardError)
        }
        writer.endObject()
    }
}

/// What has been read of an error object. Unknown fields are passed over, so that older versions read what newer ones wrote.
private struct ErrorFields {
    var kind: Failure.Kind?
    var message: String?
    var type: String?
    var traceback: String?
    private var exitCode: Int32?
    private var signal: String?
    private var death: DeathCertificate?

    /// The exit code and the signal stand beside the certificate in the text, and inside it in the value.
    var certificate: DeathCertificate? {
        guard var death else { return nil }
        death.exitCode = exitCode
        death.signal = signal
        return death
    }

    mutating func take(_ key: String, _ value: JSONValue) {
        switch key {
        case "kind": kind = value.string().flatMap(Failure.Kind.init(rawValue:))
        case "message": message = value.string()
        case "type": type = value.string()
        case "traceback": traceback = value.string()
        case "exit_code": exitCode = value.integer().flatMap(Int32.init(exactly:))
        case "signal": signal = value.string()
        case "certificate": death = ErrorFields.certificate(value)
        default: break
        }
    }

    private static func certificate(_ value: JSONValue) -> DeathCertificate? {
        var death = DeathCertificate(processID: 0)
        var hasProcess = false
        for (key, value) in value.members() {
            switch key {
            case "pid":
                guard let number = value.integer().flatMap(Int32.init(exactly:)) else { return nil }
                death.processID = number
                hasProcess = true
            case "cpu_seconds": death.cpuSeconds = value.double() ?? 0
            case "peak_resident_bytes": death.peakResidentBytes = Int64(value.integer() ?? 0)
            case "wall_seconds": death.wallSeconds = value.double() ?? 0
            case "stderr": death.standardError = value.string()
            default: break
            }
        }
        return hasProcess ? death : nil
    }
}
