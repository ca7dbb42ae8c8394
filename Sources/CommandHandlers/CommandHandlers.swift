import Glibc
import Platform
package import WorkerKit

/// Handlers that are commands.
package enum CommandHandlers {
    /// To be called in the process whose children run the jobs, or before its fork.
    package static func handlers(from specifications: [CommandSpecification]) -> [Handler] {
        let offspring = Offspring()
        return specifications.map { specification in
            // SIGTERM is the command's to bear: its worker waits for it.
            Handler.pipelined(specification.name) { pipelineOfWorker(for: specification, offspring: offspring) }
                .withCooperativeCancellation()
        }
    }

    /// To be called in a worker, which changes: it ignores SIGPIPE and has orphans for children.
    package static func pipelineOfWorker(
        for specification: CommandSpecification, offspring: Offspring
    ) -> any JobPipeline {
        CurrentProcess.ignoreSignals([SIGPIPE])
        offspring.adopt()
        return pipeline(for: specification, offspring: offspring)
    }

    static func pipeline(
        for specification: CommandSpecification, offspring: Offspring?, errors: ErrorTail = ErrorTail()
    ) -> any JobPipeline {
        let program = Program(
            path: specification.program, arguments: specification.arguments,
            environment: CommandEnvironment.common(specification, of: CurrentProcess.environment()),
            workingFolder: specification.workingFolder)
        switch specification.kind {
        case .exec: return ExecPipeline(program, offspring: offspring, errors: errors)
        case .lines: return LinesPipeline(program, offspring: offspring, errors: errors)
        }
    }
}
