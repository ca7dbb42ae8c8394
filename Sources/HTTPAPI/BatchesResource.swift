import HTTPServer
import JSONBytes
import JobModel
import JobStore

// /v1/batches and /v1/batches/{batch}
extension API {
    /// How soon a client should look again at what it submitted. Seconds.
    static let retryAfter = ("Retry-After", "1")

    func submitBatch(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let batch = try newBatch(
                try submissions.submission(exchange.body, of: .jobs), exchange.head)
            let id = batch.id
            let preferences = exchange.preferences
            let record = BatchRecord(
                id: id, handler: batch.handler, options: batch.options, total: batch.total,
                sharedBytes: batch.shared?.count, createdAt: batch.createdAt)
            submit(
                batch, for: exchange, wait: preferences.waitSeconds(default: 0),
                accepted: accepted(record, preferences, running: 0)
            ) {
                WaitAnswers(
                    finished: { [self] record throws(Problem) in show(record, to: exchange) },
                    outOfTime: { [self] () throws(Problem) in
                        exchange.respond(accepted(try existingBatch(id), preferences))
                    })
            }
        } catch {
            exchange.fail(error)
        }
    }

    /// 202: the batch is stored and goes on.
    /// - Parameter running: 0 for a batch that was stored just now; nil: as the scheduler says.
    func accepted(_ record: BatchRecord, _ preferences: Preferences, running: Int? = nil) -> HTTPResponse {
        let headers =
            [("Location", Path.batch(record.id)), API.retryAfter] + preferences.applied(isAccepted: true)
        if preferences.isMinimal { return .of(202, type: nil, headers: headers, .none) }
        return .json(202, json(record, running: running), headers: headers)
    }

    func listBatches(_ exchange: Exchange) {
        do throws(Problem) {
            let question = try BatchListQuestion(exchange.head.query)
            read(exchange) { [self] () throws(Problem) in
                let page = try batches(question)
                exchange.respond(.json(200, json(page), headers: question.link(to: page.next)))
            }
        } catch {
            exchange.fail(error)
        }
    }

    func showBatch(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let id = try batchID(exchange.parameters[0])
            read(exchange) { [self] () throws(Problem) in
                let record = try existingBatch(id)
                let wait = exchange.preferences.wait ?? 0
                if record.isFinished || wait == 0 {
                    show(record, to: exchange)
                } else {
                    awaitEnd(of: id, seconds: wait, exchange) { [self] in show($0, to: exchange) }
                }
            }
        } catch {
            exchange.fail(error)
        }
    }

    /// The registry hears only of what ends after the registration, so the store is asked once more behind it.
    /// - Parameter late: answers with a batch that did not end in time.
    private func awaitEnd(
        of id: BatchID, seconds: Int, _ exchange: Exchange, late: @escaping @Sendable (BatchRecord) -> Void
    ) {
        let ticket = waits.register(id, seconds: seconds) { [self] end in
            read(exchange) { [self] () throws(Problem) in
                switch end {
                case .finished(let record, _): show(record, to: exchange)
                case .outOfTime: late(try existingBatch(id))
                }
            }
        }
        exchange.responder.onDisconnect { [waits] in waits.withdraw(ticket) }
        read(exchange) { [self] () throws(Problem) in
            do throws(Problem) {
                let record = try existingBatch(id)
                if record.isFinished, waits.withdraw(ticket) { show(record, to: exchange) }
            } catch {
                if waits.withdraw(ticket) { throw error }
            }
        }
    }

    private func show(_ record: BatchRecord, to exchange: Exchange) {
        exchange.respond(.json(200, json(record), headers: exchange.preferences.applied(isAccepted: false)))
    }

    func cancelBatch(_ exchange: Exchange) {
        do throws(Problem) {
            var query = QueryReader(exchange.head.query)
            try query.finish()
            let id = try batchID(exchange.parameters[0])
            try submissions.checkEmpty(exchange.body)
            let preferences = exchange.preferences
            let wait = preferences.wait ?? 0
            let accepted: @Sendable (BatchRecord) -> Void = { [self] record in
                let headers = [("Location", Path.batch(id)), API.retryAfter] + preferences.applied(isAccepted: false)
                exchange.respond(.json(record.isFinished ? 200 : 202, json(record), headers: headers))
            }
            configuration.store.requestCancel(id) { [self] result in
                read(exchange) { [self] () throws(Problem) in
                    switch result {
                    case .success(.some(let record)) where record.isFinished: show(record, to: exchange)
                    // The batch ends when the workers that ran its jobs are dead.
                    case .success(.some) where wait > 0: awaitEnd(of: id, seconds: wait, exchange, late: accepted)
                    case .success(.some(let record)): accepted(record)
                    case .success(nil): throw .noBatch("\(id)")
                    case .failure(let error): throw .store(error)
                    }
                }
            }
        } catch {
            exchange.fail(error)
        }
    }
}
