import JobModel
import JobStore
import Platform

/// A delivery queue without a file, for tests of the deliverer.
final class InMemoryOutbox: DeliveryQueue {
    struct State {
        var deliveries: [DeliveryID: Delivery] = [:]
        var attempts: [DeliveryAttempt] = []
        var looks = 0
        /// Errors that the next recordings get instead of success.
        var recordErrors: [StoreError] = []
        var readError: StoreError?
    }

    private let state = Monitor(State())

    func add(_ delivery: Delivery) { state.withLock { $0.deliveries[delivery.id] = delivery } }

    func failRecordings(with errors: [StoreError]) { state.withLock { $0.recordErrors = errors } }
    func failReads(with error: StoreError) { state.withLock { $0.readError = error } }

    var looks: Int { state.withLock { $0.looks } }
    var attempts: [DeliveryAttempt] { state.withLock { $0.attempts } }
    func delivery(_ id: DeliveryID) -> Delivery? { state.withLock { $0.deliveries[id] } }

    /// The recorded attempts as soon as there are `count`; fewer if the deadline passes first.
    func attempts(atLeast count: Int, within seconds: Double = 20) -> [DeliveryAttempt] {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: seconds)
        return state.wait { state in
            state.attempts.count >= count || MonotonicTime.now() >= deadline
                ? .done(state.attempts) : .sleep(until: deadline)
        }
    }

    func dueDeliveries(at time: Timestamp, limit: Int) throws(StoreError) -> [Delivery] {
        try state.withLock { state throws(StoreError) in
            state.looks += 1
            if let error = state.readError { throw error }
            return Array(
                state.deliveries.values.filter { $0.state == .pending && $0.dueAt <= time }
                    .sorted { ($0.dueAt, $0.id) < ($1.dueAt, $1.id) }.prefix(limit))
        }
    }

    func nextDeliveryTime(after time: Timestamp) throws(StoreError) -> Timestamp? {
        state.withLock { state in
            state.deliveries.values.filter { $0.state == .pending && $0.dueAt > time }.map(\.dueAt).min()
        }
    }

    func recordDelivery(_ attempt: DeliveryAttempt, completion: @escaping StoreCompletion<Void>) {
        let error = state.withLock { state -> StoreError? in
            if !state.recordErrors.isEmpty { return state.recordErrors.removeFirst() }
            state.attempts.append(attempt)
            state.deliveries[attempt.id]?.attempts += 1
            state.deliveries[attempt.id]?.lastStatus = attempt.status
            switch attempt.result {
            case .delivered: state.deliveries[attempt.id]?.state = .delivered
            case .failed: state.deliveries[attempt.id]?.state = .failed
            case .retry(let time): state.deliveries[attempt.id]?.dueAt = time
            }
            return nil
        }
        completion(error.map { .failure($0) } ?? .success(()))
        state.notifyAll()
    }
}

/// Deliveries and times for tests.
enum Sample {
    static func now() -> Timestamp {
        Timestamp(microseconds: Int64(wallClockSeconds() * 1e6))
    }

    static func delivery(
        _ number: UInt64 = 1, url: String = "http://127.0.0.1:1/", secret: String? = nil, attempts: Int = 0,
        dueAt: Timestamp = Timestamp(microseconds: 0)
    ) -> Delivery {
        Delivery(
            id: DeliveryID(ULID(high: 1, low: number)), batch: BatchID(ULID(high: 2, low: number)),
            event: "batch.completed", url: url, secret: secret, body: Array(#"{"type":"batch.completed"}"#.utf8),
            attempts: attempts, dueAt: dueAt, createdAt: Timestamp(microseconds: 0))
    }
}
