import JobModel
import WorkerKit

extension CommandReply.Sign {
    func give(to job: JobContext) {
        switch self {
        case .progress(let progress): job.report(progress: progress.fraction, message: progress.message)
        case .log(let level, let text): job.log(level, text)
        case .counts(let deltas): for delta in deltas { job.add(Int(delta.amount), to: delta.name) }
        }
    }
}
