import HTTPServer
import JobModel
import JobStore

// /v1/jobs, /v1/jobs/{job} and /v1/batches/{batch}/jobs/{index}
extension API {
    func submitJob(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let batch = newBatch(try submissions.submission(exchange.body, of: .payload))
            let id = JobID(batch: batch.id, index: 0)
            let preferences = exchange.preferences
            let job = JobJSON(
                id: id, handler: batch.handler, status: .pending, payload: batch.segments[0].input,
                createdAt: batch.createdAt)
            submit(
                batch, for: exchange, wait: preferences.waitSeconds(default: 0),
                SubmissionAnswers(
                    accepted: accepted(job, preferences),
                    finished: { [self] _ throws(Problem) in
                        show(try existingJob(id), headers: preferences.applied(isAccepted: false), to: exchange)
                    },
                    outOfTime: { [self] () throws(Problem) in
                        exchange.respond(
                            accepted(JobJSON(try existingJob(id), live: configuration.live), preferences))
                    }))
        } catch {
            exchange.fail(error)
        }
    }

    private func accepted(_ job: JobJSON, _ preferences: Preferences) -> HTTPResponse {
        let headers = [("Location", Path.job(job.id)), API.retryAfter] + preferences.applied(isAccepted: true)
        if preferences.isMinimal { return .of(202, type: nil, headers: headers, .none) }
        return .json(202, job.json, headers: headers)
    }

    private func show(_ record: JobRecord, headers: [(String, String)] = [], to exchange: Exchange) {
        exchange.respond(.json(200, JobJSON(record, live: configuration.live).json, headers: headers))
    }

    func showJob(_ exchange: Exchange) {
        show(JobID(exchange.parameters[0]), named: exchange.parameters[0], exchange)
    }

    func showJobOfBatch(_ exchange: Exchange) {
        let (batch, index) = (exchange.parameters[0], exchange.parameters[1])
        show(
            BatchID(batch).flatMap { JobID("job_\($0.ulid)_\(index)") }, named: "\(index) of batch \(batch)", exchange)
    }

    private func show(_ id: JobID?, named name: String, _ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            guard let id else { throw .noJob(name) }
            read(exchange) { [self] () throws(Problem) in
                show(try existingJob(id), to: exchange)
            }
        } catch {
            exchange.fail(error)
        }
    }

    private func existingJob(_ id: JobID) throws(Problem) -> JobRecord {
        guard let record = try ask({ (store) throws(StoreError) in try store.job(id) }) else { throw .noJob("\(id)") }
        return record
    }
}
