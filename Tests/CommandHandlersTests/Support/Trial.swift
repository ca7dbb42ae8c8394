import Glibc
import JSONBytes
import JobModel
import Platform
import Testing
import WorkerKit

@testable import CommandHandlers

/// What became of a job.
enum TrialOutcome: Equatable {
    case result(String)
    case failure(Failure)

    var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }

    /// Without a certificate.
    var bare: TrialOutcome {
        guard case .failure(var failure) = self else { return self }
        failure.death = nil
        return .failure(failure)
    }
}

/// Keeps the outcomes that a pipeline reports.
struct RecordedOutcomes: JobOutcomes, ~Copyable {
    var maximumResultBytes = 1 << 20
    var all: [TrialOutcome] = []

    mutating func report(_ result: [UInt8]) { all.append(.result(String(decoding: result, as: UTF8.self))) }
    mutating func report(_ failure: Failure) { all.append(.failure(failure)) }
}

/// A command with a pipeline, in this process.
struct Trial {
    static let batch = BatchID(ULID(high: 0x0190_0000_0000_0000, low: 7))

    private let pipeline: any JobPipeline
    private let maximumResultBytes: Int
    /// What the command needs as long as it runs.
    private let kept: TemporaryFolder?

    /// The system's own where there is one: what stands in front of it in PATH may be slow to start.
    static let python = access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3"

    init(
        _ kind: CommandSpecification.Kind, _ command: String, environment: [String: String] = [:],
        folder: String? = nil,
        maximumResultBytes: Int = 1 << 20, keeping kept: TemporaryFolder? = nil
    ) throws {
        self.kept = kept
        CurrentProcess.ignoreSignals([SIGPIPE])
        let specification = try CommandSpecification(
            name: "work", kind: kind, words: try CommandText.words(command), environment: environment,
            workingFolder: folder,
            serviceEnvironment: CurrentProcess.environment(), currentFolder: "/")
        // What the commands complain about on purpose does not belong into the output of the tests.
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        pipeline = CommandHandlers.pipeline(
            for: specification, offspring: nil, errors: ErrorTail(target: nowhere))
        self.maximumResultBytes = maximumResultBytes
    }

    /// Runs the payloads as one part of a chunk.
    func run(_ payloads: [String], first: Int = 0) throws -> [TrialOutcome] {
        var outcomes = RecordedOutcomes(maximumResultBytes: maximumResultBytes)
        for (index, payload) in payloads.enumerated() {
            let context = JobContext(batch: Trial.batch, index: first + index, attempt: 1)
            // Like a worker's buffer, this is gone after the call.
            try Array(payload.utf8).withUnsafeBytes { try pipeline.take($0, context, &outcomes) }
        }
        try pipeline.finish(&outcomes)
        return outcomes.all
    }

    func run(_ payload: String) throws -> TrialOutcome {
        let outcomes = try run([payload])
        try #require(outcomes.count == 1)
        return outcomes[0]
    }
}
