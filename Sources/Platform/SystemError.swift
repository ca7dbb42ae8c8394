import Glibc

/// A failed system call: what was tried, and the `errno` it left.
package struct SystemError: Error, CustomStringConvertible, Equatable {
    package let operation: String
    package let code: Int32

    package init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// Whether the other end of a pipe or socket is gone.
    package var isBrokenPipe: Bool { code == EPIPE }

    package var description: String {
        "\(operation): \(String(cString: strerror(code))) (errno \(code))"
    }
}

/// Repeats a call that a signal interrupted; throws what else went wrong.
@discardableResult
package func retryingOnInterrupt<Result: FixedWidthInteger>(
    _ operation: String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError(operation) }
    }
}
