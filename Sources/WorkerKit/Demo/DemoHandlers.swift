import Glibc
import JSONBytes
import Platform

/// Handlers for trying the service and for its tests.
package enum DemoHandlers {
    package static let all = [echo, square, sleep, fail, crash, hang, allocate]

    /// Any value; returns it.
    static let echo = Handler.unsafeBytes("echo") { payload, result, _ in result.append(contentsOf: payload) }

    /// A number; returns its square, an integer for an integer.
    static let square = Handler.unsafeBytes("square") { payload, result, _ in
        if let number = JSONScalar.integer(payload) {
            let (square, overflow) = number.multipliedReportingOverflow(by: number)
            if overflow { throw JobError("the square of \(number) is too large", type: "Overflow") }
            result.append(integer: square)
        } else if let number = JSONScalar.double(payload) {
            guard (number * number).isFinite else {
                throw JobError("the square of \(number) is too large", type: "Overflow")
            }
            result.append(double: number * number)
        } else {
            throw JobError("the payload is not a number", type: "DecodingError")
        }
    }

    /// Seconds; returns them after so long.
    static let sleep = Handler.unsafeBytes("sleep") { payload, result, _ in
        guard let seconds = JSONScalar.double(payload), seconds >= 0 else {
            throw JobError("the payload is not a number of seconds", type: "DecodingError")
        }
        let deadline = MonotonicTime.now() + TimeSpan(seconds: seconds)
        while true {
            let left = (deadline - .now()).nanoseconds
            if left <= 0 { break }
            var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            nanosleep(&time, nil)
        }
        result.append(contentsOf: payload)
    }

    /// A message; fails with it.
    static let fail = Handler("fail") { (message: String?, _: JobContext) -> Bool in
        throw JobError(message ?? "failed on demand", type: "DemoFailure")
    }

    /// Ends the worker process: the payload is a signal's name or number, or `{"exit": code}`; SIGSEGV if it is null. Only
    /// false is a job that does no harm and succeeds, to be put between others.
    static let crash = Handler.unsafeBytes("crash") { payload, result, _ in
        let value = JSON(trusted: Array(payload)).value
        if value.boolean() == false { return result.append(contentsOf: payload) }
        if let code = value.members().first(where: { $0.key == "exit" })?.value.integer() {
            exit(Int32(truncatingIfNeeded: code))
        }
        let number: Int32
        switch value.kind {
        case .string:
            let name = value.string() ?? ""
            guard let known = SignalName.number(of: name) else { throw JobError("there is no signal \(name)") }
            number = known
        case .number:
            number = Int32(clamping: value.integer() ?? 0)
        default:
            number = SIGSEGV
        }
        guard (1...64).contains(number) else { throw JobError("there is no signal \(number)") }
        signal(number, SIG_DFL)
        raise(number)
        throw JobError("\(SignalName.of(number)) did not end the worker")
    }

    /// Never returns.
    static let hang = Handler.unsafeBytes("hang") { _, _, _ in
        while true { pause() }
    }

    /// A number of bytes; allocates and touches so much memory, gives it back and returns the number.
    static let allocate = Handler("allocate") { (count: Int, _: JobContext) -> Int in
        guard count >= 0, count < 1 << 40 else { throw JobError("the payload is not a number of bytes") }
        guard let memory = malloc(max(1, count)) else { throw JobError("\(count) bytes are not to be had") }
        defer { free(memory) }
        for offset in stride(from: 0, to: count, by: 4096) {
            memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
        return count
    }
}
