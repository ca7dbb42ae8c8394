package import JobModel

/// One webhook event on its way to one URL: a row of the outbox, written in the commit that ended the batch.
package struct Delivery: Sendable, Hashable {
    package enum State: String, Sendable { case pending, delivered, failed }

    package var id: DeliveryID
    package var batch: BatchID
    /// Such as `batch.completed`.
    package var event: String
    package var url: String
    /// `whsec_…` of this callback; nil: the server's own.
    package var secret: String?
    /// The JSON body, the same bytes on every try.
    package var body: [UInt8]
    package var state: State
    /// Tries so far.
    package var attempts: Int
    package var dueAt: Timestamp
    package var createdAt: Timestamp
    /// Of the last try: an HTTP status or a sentence.
    package var lastStatus: Int?
    package var lastError: String?

    package init(
        id: DeliveryID, batch: BatchID, event: String, url: String, secret: String?, body: [UInt8],
        state: State = .pending, attempts: Int = 0, dueAt: Timestamp, createdAt: Timestamp, lastStatus: Int? = nil,
        lastError: String? = nil
    ) {
        self.id = id
        self.batch = batch
        self.event = event
        self.url = url
        self.secret = secret
        self.body = body
        self.state = state
        self.attempts = attempts
        self.dueAt = dueAt
        self.createdAt = createdAt
        self.lastStatus = lastStatus
        self.lastError = lastError
    }
}

/// What one try of a delivery came to.
package struct DeliveryAttempt: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        case delivered
        case retry(at: Timestamp)
        /// Given up: the endpoint said 410, or the schedule is exhausted.
        case failed
    }

    package var id: DeliveryID
    package var result: Result
    package var status: Int?
    package var error: String?

    package init(id: DeliveryID, result: Result, status: Int?, error: String?) {
        self.id = id
        self.result = result
        self.status = status
        self.error = error
    }
}
