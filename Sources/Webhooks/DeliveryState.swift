package import JobModel
package import JobStore

/// What the delivery threads know in common: which deliveries are in hand, and when to look into the store again. Pure.
///
/// A delivery is in hand from the moment a look has found it until its try is recorded; the store goes on showing it as due
/// all that time, so looks leave it out.
package struct DeliveryState {
    package enum Action: Equatable {
        /// Read the deliveries that are due at this time, then call `looked`.
        case look(at: Timestamp, limit: Int)
        /// Make one try, record it, then call `ended`.
        case send(Delivery)
        case sleep(until: Timestamp?)
        case end
    }

    /// How many deliveries a look takes in hand.
    package static let batch = 64

    /// In reverse order.
    private var ready: [Delivery] = []
    private var inHand: Set<DeliveryID> = []
    /// A look that began before their result was recorded still shows them as due.
    private var endedDuringLook: Set<DeliveryID> = []
    private var mustLook = true
    private var isLooking = false
    /// The earliest time at which something that is not in hand is due, as far as is known.
    private var nextDue: Timestamp?
    package private(set) var isStopped = false

    package init() {}

    package mutating func next(at now: Timestamp) -> Action {
        if isStopped { return .end }
        if let delivery = ready.popLast() { return .send(delivery) }
        if isLooking { return .sleep(until: nil) }
        guard mustLook || isDue(at: now) else { return .sleep(until: nextDue) }
        isLooking = true
        mustLook = false
        nextDue = nil
        endedDuringLook = []
        return .look(at: now, limit: inHand.count + DeliveryState.batch)
    }

    /// A hint that the store holds new deliveries.
    package mutating func deliveriesWereAdded() { mustLook = true }

    /// - Parameters:
    ///   - found: what was due, in order.
    ///   - limit: as it was asked for.
    ///   - next: when the first one is due after the time of the look.
    package mutating func looked(found: [Delivery], limit: Int, next: Timestamp?) {
        isLooking = false
        if found.count >= limit { mustLook = true }
        let new = found.filter { !inHand.contains($0.id) && !endedDuringLook.contains($0.id) }
        ready.append(contentsOf: new.reversed())
        inHand.formUnion(new.map(\.id))
        if let next { expect(next) }
    }

    /// A try was recorded.
    package mutating func ended(_ attempt: DeliveryAttempt) {
        inHand.remove(attempt.id)
        if isLooking { endedDuringLook.insert(attempt.id) }
        if case .retry(let time) = attempt.result { expect(time) }
    }

    package mutating func stop() { isStopped = true }

    /// Nothing is due, and nothing is on its way.
    package func isQuiet(at now: Timestamp) -> Bool {
        inHand.isEmpty && !mustLook && !isLooking && !isDue(at: now)
    }

    private func isDue(at now: Timestamp) -> Bool { nextDue.map { $0 <= now } ?? false }

    private mutating func expect(_ time: Timestamp) { nextDue = min(nextDue ?? time, time) }
}
