import HTTPServer
import JobModel
import JobStore

// /v1/jobs, /v1/jobs/{job} and /v1/batches/{batch}/jobs/{index}
extension API {
    func submitJob(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let batch = try newBatch(
                try submissions.submission(exchange.body, of: .payload), exchange.head)
            let id = JobID(batch: batch.id, index: 0)
            let preferences = exchange.preferences
            let job = JobJSON(
                id: id, handler: batch.handler, queue: batch.options.queue, status: .pending,
                payload: batch.segments[0].input, createdAt: batch.createdAt)
            submit(
                batch, for: exchange, wait: preferences.waitSeconds(default: 0), accepted: accepted(job, preferences)
            ) {
                WaitAnswers(
                    ready: { [self] _, outcomes in
                        outcomes.first.map { ended(job, $0, headers: preferences.applied(isAccepted: false)) }
                    },
                    finished: { [self] _ throws(Problem) in
                        show(try existingJob(id), headers: preferences.applied(isAccepted: false), to: exchange)
                    },
                    outOfTime: { [self] () throws(Problem) in
                        exchange.respond(accepted(try existingJob(id), preferences))
                    })
            }
        } catch {
            exchange.fail(error)
        }
    }

    private func accepted(_ job: JobJSON, _ preferences: Preferences) -> HTTPResponse {
        let headers = [("Location", Path.job(job.id)), API.retryAfter] + preferences.applied(isAccepted: true)
        if preferences.isMinimal { return .of(202, type: nil, headers: headers, .none) }
        return .json(202, job.json, headers: headers)
    }

    /// - Parameter run: the job's only one.
    private func ended(_ job: JobJSON, _ run: OutcomeRun, headers: [(String, String)]) -> HTTPResponse {
        var job = job
        job.status = .ended(run.outcome)
        job.body = run.body
        return .json(200, job.json, headers: headers)
    }

    private func show(_ job: JobJSON, headers: [(String, String)] = [], to exchange: Exchange) {
        exchange.respond(.json(200, job.json, headers: headers))
    }

    func showJob(_ exchange: Exchange) {
        let id = exchange.parameters[0]
        show(JobID(id), exchange, orElse: .noJob(id))
    }

    func showJobOfBatch(_ exchange: Exchange) {
        let (batch, index) = (exchange.parameters[0], exchange.parameters[1])
        let id = BatchID(batch).flatMap { JobID("job_\($0.ulid)_\(index)") }
        show(id, exchange, orElse: .noJob(index, of: batch))
    }

    /// - Parameter id: nil if what was asked for is no identifier.
    private func show(_ id: JobID?, _ exchange: Exchange, orElse problem: Problem) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            guard let id else { throw problem }
            read(exchange) { [self] () throws(Problem) in
                guard let job = try job(id) else { throw problem }
                show(job, to: exchange)
            }
        } catch {
            exchange.fail(error)
        }
    }

    private func job(_ id: JobID) throws(Problem) -> JobJSON? {
        // Before the store is asked: what is committed between the two questions is then in both answers.
        let liveLogs = configuration.live.logs(of: id)
        guard let record = try ask({ (store) throws(StoreError) in try store.job(id) }) else { return nil }
        return JobJSON(record, live: configuration.live, liveLogs: liveLogs)
    }

    private func existingJob(_ id: JobID) throws(Problem) -> JobJSON {
        guard let job = try job(id) else { throw .noJob("\(id)") }
        return job
    }
}
