package import JobModel
public import Logging

extension JobContext {
    /// A logger whose lines show in the job's resource and in the event stream, with the service's own word for the level:
    /// debug, info, warning or error.
    ///
    /// It starts at the level `info`. A worker may log about a hundred lines a second, with some to spare for bursts, of at
    /// most 4,096 bytes each; what is more is left out and counted in the job's `logs_dropped`.
    public var logger: Logger {
        Logger(label: "jobmill.job", factory: { (_: String) in JobLogHandler(job: job) })
    }
}

extension JobContext {
    /// Adds lines to the job's log without a logger.
    package func log(_ level: LogLine.Source, _ text: String) { job.part.link?.log(level, text, job) }
}

/// Sends what a job logs to the service, one frame for each line.
struct JobLogHandler: LogHandler {
    let job: JobReference
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let link = job.part.link else { return }
        var text = event.message.description
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { text += " \(key)=\(value)" }
        if let error = event.error { text += " error=\(error)" }
        link.log(JobLogHandler.source(of: event.level), text, job)
    }

    private static func source(of level: Logger.Level) -> LogLine.Source {
        switch level {
        case .trace, .debug: .debug
        case .info, .notice: .info
        case .warning: .warning
        case .error, .critical: .error
        }
    }
}
