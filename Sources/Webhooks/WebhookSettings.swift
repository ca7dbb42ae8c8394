package import HTTPClient

/// How deliveries are made.
package struct WebhookSettings: Sendable {
    /// Signs what has no secret of its own.
    package var secret: WebhookSecret
    package var addressPolicy: AddressPolicy
    /// Seconds for one try.
    package var timeout: Double
    /// Deliveries on their way at once.
    package var concurrency: Int
    package var schedule: RetrySchedule
    /// Such as `Jobmill/1.0`.
    package var userAgent: String
    /// Seconds until a result that found the store full is recorded again.
    package var recordRetryDelay: Double
    /// Seconds in which an endpoint that did not answer is left alone.
    package var endpointRest: Double

    package init(
        secret: WebhookSecret, addressPolicy: AddressPolicy = .globalUnicastOnly, timeout: Double = 20,
        concurrency: Int = 4, schedule: RetrySchedule = RetrySchedule(), userAgent: String = "Jobmill",
        recordRetryDelay: Double = 5, endpointRest: Double = 5
    ) {
        self.secret = secret
        self.addressPolicy = addressPolicy
        self.timeout = timeout
        self.concurrency = concurrency
        self.schedule = schedule
        self.userAgent = userAgent
        self.recordRetryDelay = recordRetryDelay
        self.endpointRest = endpointRest
    }
}
