package import Platform

// What the server and a zygote say to each other: messages on a SOCK_SEQPACKET socket, one byte for the kind, then the fields,
// little-endian. A text is its length in four bytes and then UTF-8.

/// From the server to a zygote.
package enum ZygoteRequest: Equatable, Sendable {
    /// Fork a worker. Attached are, in this order, the worker's end of its socket, the memory file of its page, and the pipes
    /// that become its standard output and standard error.
    case fork(worker: UInt32)
    /// JSON text that says what to prepare. It comes once, before everything else.
    case setup([UInt8])

    /// Descriptors that come with a fork.
    package static let forkDescriptors = 4
    /// Bytes of JSON text that a setup may have.
    package static let setupLimit = 128 << 10
    /// Bytes that a request may have.
    static let maximumSize = 1 + setupLimit

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .fork(let worker):
            writer.put(UInt8(1))
            writer.put(worker)
        case .setup(let text):
            writer.put(UInt8(2))
            writer.put(bytes: text)
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(ProtocolViolation) {
        self = try decodeWhole(bytes) { (reader) throws(ProtocolViolation) in
            switch try reader.take(UInt8.self) {
            case 1: return .fork(worker: try reader.take(UInt32.self))
            case 2:
                guard reader.count <= ZygoteRequest.setupLimit else {
                    throw ProtocolViolation("a setup of \(reader.count) bytes")
                }
                return .setup(Array(reader.takeRest()))
            case let kind: throw ProtocolViolation("a request of the unknown kind \(kind)")
            }
        }
    }
}

/// A handler that a zygote cannot offer, though it can offer others.
package struct UnusableHandler: Hashable, Sendable {
    package var name: String
    /// One sentence or more for a person.
    package var reason: String

    package init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}

/// From a zygote to the server.
package enum ZygoteReport: Equatable, Sendable {
    /// The handlers are prepared, but for those named: workers can be forked.
    case ready(problems: [UnusableHandler])
    /// They cannot be prepared; the zygote exits.
    case preparationFailed(reason: String)
    case forked(worker: UInt32, processID: Int32)
    case forkFailed(worker: UInt32, reason: String)
    /// A worker has ended and is reaped.
    case exited(ProcessExit)

    /// Bytes that a report may have.
    package static let maximumSize = 64 << 10
    private static let reasonLimit = 2048
    private static let nameLimit = 128
    /// What is left for the reasons of all problems together is shared out evenly.
    private static let problemLimit = 256

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .ready(let problems):
            let told = problems.prefix(ZygoteReport.problemLimit)
            let room = (ZygoteReport.maximumSize - 8) / max(1, told.count) - ZygoteReport.nameLimit - 8
            writer.put(UInt8(1))
            writer.put(UInt32(told.count))
            for problem in told {
                writer.put(text: clipped(problem.name, toBytes: ZygoteReport.nameLimit))
                writer.put(text: clipped(problem.reason, toBytes: min(room, ZygoteReport.reasonLimit)))
            }
        case .preparationFailed(let reason):
            writer.put(UInt8(2))
            writer.put(text: clipped(reason, toBytes: ZygoteReport.reasonLimit))
        case .forked(let worker, let processID):
            writer.put(UInt8(3))
            writer.put(worker)
            writer.put(processID)
        case .forkFailed(let worker, let reason):
            writer.put(UInt8(4))
            writer.put(worker)
            writer.put(text: clipped(reason, toBytes: ZygoteReport.reasonLimit))
        case .exited(let exit):
            writer.put(UInt8(5))
            writer.put(exit.processID)
            writer.put(exit.exitCode ?? -1)
            writer.put(exit.signal ?? 0)
            writer.put(exit.cpuSeconds)
            writer.put(exit.peakResidentBytes)
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(ProtocolViolation) {
        self = try decodeWhole(bytes) { (reader) throws(ProtocolViolation) in
            switch try reader.take(UInt8.self) {
            case 1: return .ready(problems: try ZygoteReport.problems(&reader))
            case 2: return .preparationFailed(reason: try reader.text(limit: ZygoteReport.reasonLimit))
            case 3:
                return .forked(worker: try reader.take(UInt32.self), processID: try ZygoteReport.processID(&reader))
            case 4:
                return .forkFailed(
                    worker: try reader.take(UInt32.self), reason: try reader.text(limit: ZygoteReport.reasonLimit))
            case 5: return .exited(try ZygoteReport.exit(&reader))
            case let kind: throw ProtocolViolation("a report of the unknown kind \(kind)")
            }
        }
    }

    private static func problems(_ reader: inout ByteReader) throws(ProtocolViolation) -> [UnusableHandler] {
        var problems: [UnusableHandler] = []
        for _ in 0..<(try reader.count(limit: problemLimit)) {
            problems.append(
                UnusableHandler(
                    name: try reader.text(limit: nameLimit), reason: try reader.text(limit: reasonLimit)))
        }
        return problems
    }

    private static func exit(_ reader: inout ByteReader) throws(ProtocolViolation) -> ProcessExit {
        let processID = try processID(&reader)
        let exitCode = try reader.take(Int32.self)
        let signal = try reader.take(Int32.self)
        let cpuSeconds = try reader.double()
        guard cpuSeconds.isFinite, cpuSeconds >= 0 else { throw ProtocolViolation("\(cpuSeconds) CPU seconds") }
        return ProcessExit(
            processID: processID,
            exitCode: exitCode >= 0 ? exitCode : nil,
            signal: signal > 0 ? signal : nil,
            cpuSeconds: cpuSeconds,
            peakResidentBytes: try reader.take(Int64.self))
    }

    /// Signals are sent to it: 0, 1 and negative numbers would mean somebody else.
    private static func processID(_ reader: inout ByteReader) throws(ProtocolViolation) -> Int32 {
        let number = try reader.take(Int32.self)
        guard number > 1 else { throw ProtocolViolation("\(number) is no process") }
        return number
    }
}
