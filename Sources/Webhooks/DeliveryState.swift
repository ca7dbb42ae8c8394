package import JobModel
package import JobStore

/// What the delivery threads know in common: which deliveries are in hand, and when to look into the store again. Pure.
///
/// A delivery is in hand from the moment a look has found it until its try is recorded; the store goes on showing it as due
/// all that time, so looks leave it out. What is in hand is sent in the order in which it is due, as far as `EndpointLoad`
/// lets its endpoint have one more.
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
    /// While so many are in hand, no look searches past those of busy endpoints for others: the first one is sent then,
    /// whatever its endpoint.
    package static let maximumInHand = 1024

    private struct Ready {
        var delivery: Delivery
        var endpoint: String
    }

    private var endpoints: EndpointLoad
    /// In reverse order.
    private var ready: [Ready] = []
    /// With their endpoints.
    private var inHand: [DeliveryID: String] = [:]
    /// A look that began before their result was recorded still shows them as due.
    private var endedDuringLook: Set<DeliveryID> = []
    private var mustLook = true
    private var isLooking = false
    /// The earliest time at which something that is not in hand is due, as far as is known.
    private var nextDue: Timestamp?
    package private(set) var isStopped = false

    package init(endpoints: EndpointLoad = EndpointLoad()) { self.endpoints = endpoints }

    package mutating func next(at now: Timestamp) -> Action {
        if isStopped { return .end }
        if let index = ready.lastIndex(where: { endpoints.isFree($0.endpoint, at: now) }) { return send(index) }
        if isLooking { return .sleep(until: nil) }
        guard mustLook || isDue(at: now) else {
            let rested = ready.compactMap { endpoints.restEnd(of: $0.endpoint) }.min()
            return .sleep(until: [nextDue, rested].compactMap(\.self).min())
        }
        if inHand.count >= DeliveryState.maximumInHand, !ready.isEmpty { return send(ready.count - 1) }
        isLooking = true
        mustLook = false
        nextDue = nil
        endedDuringLook = []
        endpoints.forgetRested(at: now)
        return .look(at: now, limit: inHand.count + DeliveryState.batch)
    }

    private mutating func send(_ index: Int) -> Action {
        let next = ready.remove(at: index)
        endpoints.begin(next.endpoint)
        return .send(next.delivery)
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
        let new = found.filter { inHand[$0.id] == nil && !endedDuringLook.contains($0.id) }
            .map { Ready(delivery: $0, endpoint: EndpointLoad.endpoint(of: $0.url)) }
        // What was found before is due before, or nearly so.
        ready.insert(contentsOf: new.reversed(), at: 0)
        for item in new { inHand[item.delivery.id] = item.endpoint }
        if let next { expect(next) }
    }

    /// A try was recorded.
    ///
    /// - Parameter wasUnanswered: no answer came from the endpoint, neither a good nor a bad one.
    package mutating func ended(_ attempt: DeliveryAttempt, wasUnanswered: Bool, at now: Timestamp) {
        if let endpoint = inHand.removeValue(forKey: attempt.id) {
            endpoints.end(endpoint, wasUnanswered: wasUnanswered, at: now)
        }
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
