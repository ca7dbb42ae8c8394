import Foundation
import HTTPClient
import JSONBytes
import Platform

/// Waits for the end of a batch, and shows on a terminal how far it has got.
struct BatchWatcher {
    let service: ServiceClient
    let id: String

    /// Seconds between two looks while a person watches.
    private static let interval = 0.2
    /// Seconds that the service may keep a question waiting when nobody watches.
    private static let longWait = 60
    private static let maximumShownFailures = 5

    private var path: String { "/v1/batches/\(ServiceClient.encoded(id))" }

    func batch(wait: Int = 0) throws(ClientFailure) -> (view: BatchView, json: JSON) {
        let json = try service.get(path, wait: wait)
        let view = try BatchView(answer: json)
        return (view, json)
    }

    func untilFinished() throws(ClientFailure) -> (view: BatchView, json: JSON) {
        guard Output.isWatched else {
            while true {
                let batch = try batch(wait: BatchWatcher.longWait)
                if batch.view.isFinished { return batch }
            }
        }
        let start = MonotonicTime.now()
        var current = try batch()
        let progress = ProgressLine(finishedBefore: current.view.counts.finished)
        // However it ends, the next line begins at the left.
        defer { Output.draw("\r\u{1B}[K") }
        while !current.view.isFinished {
            let elapsed = (MonotonicTime.now() - start).seconds
            Output.draw("\r\u{1B}[K" + progress.text(current.view.counts, elapsed: elapsed, width: Output.width))
            Thread.sleep(forTimeInterval: BatchWatcher.interval)
            current = try batch()
        }
        return current
    }

    /// Tells on standard error why the first failed jobs failed.
    func explainFailures(of batch: BatchView) throws(ClientFailure) {
        guard batch.counts.failed > 0 else { return }
        // The plain values of such a batch are refused, with the indices of its failed jobs.
        let answer = try service.exchange("GET", "\(path)/results?view=values", body: nil, wait: 0)
        let failed = (try? JSON(validating: answer.body))?.value["failed"]?.elements().compactMap { $0.integer() } ?? []
        for index in failed.prefix(BatchWatcher.maximumShownFailures) {
            let job = try service.get("\(path)/jobs/\(index)").value
            Output.note("  job \(index): \(JobView.reason(of: job["error"]))")
        }
        let others = batch.counts.failed - min(failed.count, BatchWatcher.maximumShownFailures)
        if others > 0 { Output.note("  and \(others) more; see 'jobmill results \(Output.printable(id))'") }
    }
}
