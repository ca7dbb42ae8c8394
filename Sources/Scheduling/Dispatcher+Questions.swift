package import JobModel
package import JobStore
import Synchronization

// What runs right now, and what it says of itself. From any thread.
extension Dispatcher {
    /// How many jobs of a batch are running. A job counts until its commit has been heard of: take the store's counts first, and
    /// no more than they leave open.
    package func running(in batch: BatchID) -> Int { state.withLock { $0.running(in: batch) } }

    package func isRunning(_ job: JobID) -> Bool { state.withLock { $0.isRunning(job) } }

    /// How many jobs of a queue run.
    package func running(inQueue name: String) -> Int { state.withLock { $0.running(inQueue: name) } }

    /// What a running job said last about how far it is.
    package func progress(of job: JobID) -> JobProgress? { state.withLock { $0.progress(of: job) } }

    /// What a running job has logged and is not in the store yet. Ask before the store is asked: what is committed between the two
    /// questions is then in both answers rather than in none.
    package func logs(of job: JobID) -> [JobLog] { state.withLock { $0.logs(of: job) } }

    /// Why a handler cannot run now; nil if it can.
    package func unhealthy(_ handler: String) -> Unhealthy? { unhealthyHandlers.withLock { $0[handler] } }
}
