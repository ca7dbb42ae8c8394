import JSONBytes
import JobModel
import Platform
import WorkerKit

/// Runs a command once for each job.
final class ExecPipeline: JobPipeline {
    private let program: Program
    private let offspring: Offspring?
    private var errors: ErrorTail
    private let shared = SharedFile()

    /// - Parameter offspring: nil: processes that commands leave behind are not this one's affair.
    init(_ program: Program, offspring: Offspring?, errors: ErrorTail = ErrorTail()) {
        self.program = program
        self.offspring = offspring
        self.errors = errors
    }

    func take<Outcomes: JobOutcomes & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, _ context: JobContext, _ outcomes: inout Outcomes
    ) throws {
        if TerminationRequest.isNoted { TerminationRequest.obey() }
        switch run(payload, context, maximumBytes: outcomes.maximumResultBytes) {
        case .success(let result): try outcomes.report(result)
        case .failure(let failed): try outcomes.report(failed.failure)
        }
        try offspring?.endOrphans()
    }

    /// Nothing is ever taken ahead.
    func finish<Outcomes: JobOutcomes & ~Copyable>(_ outcomes: inout Outcomes) throws {}

    private struct Failed: Error {
        let failure: Failure

        init(failure: Failure) { self.failure = failure }

        init(_ failure: Failure, _ exit: ProcessExit) {
            var failure = failure
            failure.death = DeathCertificate(exit)
            self.failure = failure
        }
    }

    private func run(
        _ payload: UnsafeRawBufferPointer, _ context: JobContext, maximumBytes: Int
    ) -> Result<[UInt8], Failed> {
        errors.removeAll()
        let run: ExecRun
        let end: ExecRun.End
        do {
            let variables = CommandEnvironment.of(context, sharedFile: try shared.path(for: context))
            run = try ExecRun(program, variables: variables, maximumBytes: maximumBytes)
            end = try run.finish(payload, &errors, offspring)
        } catch {
            return .failure(Failed(failure: Failure(notStarted: error)))
        }
        switch end {
        case .tooLong(let exit): return .failure(Failed(Failure(outputBeyond: maximumBytes), exit))
        case .ended(let exit, _) where exit.exitCode != 0:
            return .failure(Failed(Failure(exit, place: "", errors, cpuLimit: run.cpuLimit), exit))
        case .ended(let exit, let output): return ExecPipeline.result(output, exit)
        }
    }

    /// No output at all is null.
    private static func result(_ output: [UInt8], _ exit: ProcessExit) -> Result<[UInt8], Failed> {
        if output.allSatisfy({ [0x09, 0x0A, 0x0D, 0x20].contains($0) }) { return .success(JSON.null.bytes) }
        do {
            var text = try JSON(validating: output).bytes
            OneLine.join(&text)
            return .success(text)
        } catch {
            return .failure(
                Failed(
                    Failure(
                        kind: .invalidResult,
                        message: "the command's output is not one JSON value: \(error); it is \(Excerpt.of(output))"),
                    exit))
        }
    }
}
