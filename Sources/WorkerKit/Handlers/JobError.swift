package import JobModel

/// What a handler throws to fail its job with a plain sentence.
public struct JobError: Error, CustomStringConvertible {
    /// One sentence for whoever looks at the job.
    public let message: String
    /// A name for this sort of error that programs can compare; nil: `JobError`.
    public let type: String?

    public init(_ message: String, type: String? = nil) {
        self.message = message
        self.type = type
    }

    public var description: String { message }
}

/// The result cannot be written as JSON.
struct UnencodableResult: Error {
    let message: String
}

/// A chunk for a handler that this process does not have.
struct UnknownHandler: Error {
    let name: String
}

extension Failure {
    /// What a handler threw, as it is recorded.
    package init(thrown error: any Error) {
        switch error {
        case let error as JobError:
            self.init(kind: .exception, message: error.message, type: error.type ?? "JobError")
        case let error as UnencodableResult:
            self.init(kind: .invalidResult, message: error.message)
        case let error as UnknownHandler:
            self.init(kind: .unknownHandler, message: "there is no handler named \(error.name)")
        default:
            self.init(
                kind: .exception, message: String(describing: error), type: String(reflecting: Swift.type(of: error)))
        }
    }
}
