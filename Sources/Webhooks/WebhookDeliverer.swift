import HTTPClient
package import JobModel
package import JobStore
package import Logging
package import Platform
import Synchronization

/// Takes what is due from the outbox, sends it, and records what came of it.
///
/// At least once: a crash between the answer and the record repeats the delivery with the same `webhook-id`. A few threads,
/// each with its own connections. One endpoint gets half of them at most, and a dead one less (`EndpointLoad`): it holds up
/// nobody else, unless it has more due than are looked at (`DeliveryState.maximumInHand`) or there are as many dead ones as
/// threads. Without anything due the threads sleep.
package final class WebhookDeliverer: Service, StoreObserver {
    package let name = "webhooks"

    private let queue: any DeliveryQueue
    private let settings: WebhookSettings
    private let sender: DeliverySender
    private let logger: Logger
    private let clock: @Sendable () -> Timestamp
    private let onFatal: @Sendable (StoreError) -> Void
    private let state: Monitor<DeliveryState>
    private let running = Mutex(Running())

    private struct Running {
        var clients: [HTTPClient] = []
        var threads: [OwnedThread] = []
    }

    /// - Parameters:
    ///   - clock: the wall clock.
    ///   - onFatal: called once, on a thread of the deliverer, when the store fails so that nothing can be recorded any more.
    ///     The service must end; it must not call `stop` right there.
    package init(
        queue: any DeliveryQueue, settings: WebhookSettings, logger: Logger,
        clock: @escaping @Sendable () -> Timestamp, onFatal: @escaping @Sendable (StoreError) -> Void
    ) {
        self.queue = queue
        self.settings = settings
        self.sender = DeliverySender(settings: settings)
        let endpoints = EndpointLoad(share: max(1, settings.concurrency / 2), rest: settings.endpointRest)
        self.state = Monitor(DeliveryState(endpoints: endpoints))
        self.logger = logger
        self.clock = clock
        self.onFatal = onFatal
    }

    package func start() throws {
        do {
            try running.withLock { running in
                for number in 1...max(1, settings.concurrency) {
                    let client = try HTTPClient()
                    running.clients.append(client)
                    running.threads.append(try OwnedThread(name: "webhooks-\(number)") { [self] in run(client) })
                }
            }
        } catch {
            stop()
            throw error
        }
    }

    /// Breaks off what is on its way; it is repeated after the next start.
    package func stop() {
        state.withLock { $0.stop() }
        state.notifyAll()
        let running = running.withLock { $0 }
        for client in running.clients { client.abort() }
        for thread in running.threads { thread.join() }
    }

    /// Waits until everything that is due has been tried once; for the time before `stop`.
    ///
    /// - Returns: false if the deadline came first.
    package func drain(until deadline: MonotonicTime) -> Bool {
        state.wait { state in
            if state.isStopped { return .done(false) }
            if state.isQuiet(at: clock()) { return .done(true) }
            return MonotonicTime.now() >= deadline ? .done(false) : .sleep(until: deadline)
        }
    }

    package func storeDidCommit(_ changes: [StoreChange]) {
        let isNews = changes.contains {
            if case .deliveriesAdded = $0 { true } else { false }
        }
        guard isNews else { return }
        state.withLock { $0.deliveriesWereAdded() }
        state.notifyAll()
    }

    private func run(_ client: HTTPClient) {
        while true {
            let action = state.wait { state in
                let now = clock()
                let action = state.next(at: now)
                guard case .sleep(let due) = action else { return .done(action) }
                return .sleep(until: due.map { .now() + TimeSpan(seconds: $0.seconds(since: now)) })
            }
            switch action {
            case .look(let time, let limit): look(at: time, limit: limit)
            case .send(let delivery): deliver(delivery, with: client)
            case .sleep, .end: return
            }
        }
    }

    private func look(at time: Timestamp, limit: Int) {
        do {
            let found = try queue.dueDeliveries(at: time, limit: limit)
            let next = try queue.nextDeliveryTime(after: time)
            state.withLock { $0.looked(found: found, limit: limit, next: next) }
            state.notifyAll()
        } catch {
            giveUp(error)
        }
    }

    private func deliver(_ delivery: Delivery, with client: HTTPClient) {
        guard let outcome = sender.send(delivery, at: clock(), with: client) else { return }
        var random = SystemRandomNumberGenerator()
        let attempt = DeliveryDecision.attempt(
            of: delivery, outcome: outcome, schedule: settings.schedule, now: clock(), using: &random)
        log(attempt, of: delivery)
        guard record(attempt) else { return }
        let wasUnanswered = if case .unanswered = outcome { true } else { false }
        state.withLock { $0.ended(attempt, wasUnanswered: wasUnanswered, at: clock()) }
        state.notifyAll()
    }

    /// Returns when the result is durable; false if that cannot be any more.
    private func record(_ attempt: DeliveryAttempt) -> Bool {
        while true {
            let answer = Monitor<Result<Void, StoreError>?>(nil)
            queue.recordDelivery(attempt) { result in
                answer.withLock { $0 = result }
                answer.notifyAll()
            }
            let result = answer.wait { $0.map { .done($0) } ?? .sleep(until: nil) }
            switch result {
            case .success: return true
            case .failure(.full(let detail)):
                logger.error(
                    "a webhook's result cannot be recorded yet: the store is full", metadata: ["detail": "\(detail)"])
                guard rest() else { return false }
            case .failure(let error):
                giveUp(error)
                return false
            }
        }
    }

    /// Sleeps before the next try to record; false if the deliverer was stopped.
    private func rest() -> Bool {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: settings.recordRetryDelay)
        return state.wait { state in
            if state.isStopped { return .done(false) }
            return MonotonicTime.now() >= deadline ? .done(true) : .sleep(until: deadline)
        }
    }

    private func giveUp(_ error: StoreError) {
        let isFirst = state.withLock { state in
            defer { state.stop() }
            return !state.isStopped
        }
        state.notifyAll()
        // A store that is being closed is the end of the service, not a failure.
        guard isFirst, error != .closed else { return }
        logger.critical("webhooks have stopped", metadata: ["error": "\(error)"])
        onFatal(error)
    }

    private func log(_ attempt: DeliveryAttempt, of delivery: Delivery) {
        let metadata: Logger.Metadata = [
            "delivery": "\(delivery.id)", "batch": "\(delivery.batch)", "attempt": "\(delivery.attempts + 1)",
            "error": "\(attempt.error ?? "none")",
        ]
        switch attempt.result {
        case .delivered: logger.debug("webhook delivered", metadata: metadata)
        case .retry(let time):
            logger.warning(
                "webhook not delivered, will be tried again",
                metadata: metadata.merging(["next": "\(time)"]) { _, new in new })
        case .failed: logger.error("webhook not delivered, given up", metadata: metadata)
        }
    }
}
