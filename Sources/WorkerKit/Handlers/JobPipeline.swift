package import JobModel
package import Platform

/// What runs the jobs of a handler that wants to have jobs at hand before those in front of them are done. There is one for each worker
/// and handler, made when the worker begins.
///
/// Outcomes are reported in the order of the jobs. The job that runs, for its time-out and for what happens when the process dies, is
/// the oldest one without an outcome.
///
/// If its handler is a cooperative one, SIGTERM is only noted while a chunk runs, and it is for the pipeline to end the worker then.
package protocol JobPipeline: AnyObject {
    /// Takes the next job. It may wait for outcomes of earlier jobs and report them, and that of this job.
    /// - Parameters:
    ///   - payload: JSON text, valid during the call.
    ///   - context: may be kept until the job's outcome is reported.
    /// - Throws: what `outcomes` throws. Anything else ends the worker.
    func take<Outcomes: JobOutcomes & ~Copyable>(
        _ payload: UnsafeRawBufferPointer, _ context: JobContext, _ outcomes: inout Outcomes) throws

    /// Reports the outcomes of all jobs that it has taken.
    func finish<Outcomes: JobOutcomes & ~Copyable>(_ outcomes: inout Outcomes) throws
}

/// Where a pipeline reports outcomes: each call is about the oldest job that has none.
package protocol JobOutcomes: ~Copyable {
    /// A larger result fails its job.
    var maximumResultBytes: Int { get }
    /// - Parameter result: exactly one JSON value on one line.
    mutating func report(_ result: [UInt8]) throws(SystemError)
    mutating func report(_ failure: Failure) throws(SystemError)
}
