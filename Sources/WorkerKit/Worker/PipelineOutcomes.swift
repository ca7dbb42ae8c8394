import JobModel
import Platform
import Synchronization

// For jobs that are taken before those in front of them are done: the oldest one without an outcome is the one that runs.

extension OutcomeWriter: JobOutcomes {
    /// A pipeline takes the next job.
    mutating func take(_ job: JobReference) {
        taken += 1
        if taken == finished + 1 { run(job.number) }
    }

    mutating func report(_ result: [UInt8]) throws(SystemError) {
        let number = try endJob()
        try succeeded(result)
        startNext(after: number)
    }

    mutating func report(_ failure: Failure) throws(SystemError) {
        let number = try endJob()
        try failed(failure)
        startNext(after: number)
    }

    private func run(_ number: UInt64) {
        start()
        link.running.store(number, ordering: .releasing)
    }

    /// The oldest job has ended, and what it said last goes out in front of its outcome.
    private func endJob() throws(SystemError) -> UInt64 {
        let number = link.running.exchange(0, ordering: .acquiringAndReleasing)
        try link.sendSigns()
        return number
    }

    private func startNext(after number: UInt64) {
        // Jobs are taken part by part, and within a part they are numbered one after the other.
        if taken > finished { run(number + 1) }
    }
}
