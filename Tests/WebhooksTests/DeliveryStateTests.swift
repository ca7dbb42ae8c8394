import JobModel
import JobStore
import Testing
import Webhooks

@Suite struct DeliveryStateTests {
    private func time(_ seconds: Double) -> Timestamp { Timestamp(microseconds: 0).advanced(bySeconds: seconds) }
    private let one = Sample.delivery(1)
    private let two = Sample.delivery(2)
    private let limit = DeliveryState.batch

    private func ended(_ delivery: Delivery, _ result: DeliveryAttempt.Result = .delivered) -> DeliveryAttempt {
        DeliveryAttempt(id: delivery.id, result: result, status: nil, error: nil)
    }

    @Test func looksFirstThenSleepsForEver() {
        var state = DeliveryState()
        #expect(!state.isQuiet(at: time(0)))
        #expect(state.next(at: time(0)) == .look(at: time(0), limit: limit))
        // Only one thread looks.
        #expect(state.next(at: time(0)) == .sleep(until: nil))
        #expect(!state.isQuiet(at: time(0)))
        state.looked(found: [], limit: limit, next: nil)
        #expect(state.next(at: time(1000)) == .sleep(until: nil))
        #expect(state.isQuiet(at: time(1000)))
    }

    @Test func sendsInOrderAndSleepsUntilTheNextIsDue() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one, two], limit: limit, next: time(50))
        #expect(state.next(at: time(0)) == .send(one))
        #expect(state.next(at: time(0)) == .send(two))
        #expect(state.next(at: time(0)) == .sleep(until: time(50)))
        #expect(!state.isQuiet(at: time(0)))
        state.ended(ended(one), wasUnanswered: false, at: time(1))
        state.ended(ended(two), wasUnanswered: false, at: time(1))
        #expect(state.isQuiet(at: time(49)))
        #expect(!state.isQuiet(at: time(50)))
        #expect(state.next(at: time(50)) == .look(at: time(50), limit: limit))
    }

    @Test func whatIsInHandIsNotTakenTwice() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one], limit: limit, next: nil)
        #expect(state.next(at: time(0)) == .send(one))
        state.deliveriesWereAdded()
        #expect(state.next(at: time(1)) == .look(at: time(1), limit: limit + 1))
        state.looked(found: [one, two], limit: limit + 1, next: nil)
        #expect(state.next(at: time(1)) == .send(two))
        #expect(state.next(at: time(1)) == .sleep(until: nil))
    }

    @Test func whatEndedDuringALookIsNotTakenAgain() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one], limit: limit, next: nil)
        _ = state.next(at: time(0))
        state.deliveriesWereAdded()
        _ = state.next(at: time(1))
        state.ended(ended(one), wasUnanswered: false, at: time(1))
        state.looked(found: [one], limit: limit + 1, next: nil)
        #expect(state.next(at: time(1)) == .sleep(until: nil))
    }

    @Test func aRetryIsExpectedAlsoWhenItsLookMissedIt() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one], limit: limit, next: nil)
        _ = state.next(at: time(0))
        state.deliveriesWereAdded()
        _ = state.next(at: time(1))
        state.ended(ended(one, .retry(at: time(5))), wasUnanswered: false, at: time(1))
        state.looked(found: [one], limit: limit + 1, next: time(9))
        #expect(state.next(at: time(1)) == .sleep(until: time(5)))
        #expect(state.next(at: time(5)) == .look(at: time(5), limit: limit))
    }

    @Test func newsDuringALookLeadsToAnother() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.deliveriesWereAdded()
        state.looked(found: [], limit: limit, next: nil)
        #expect(state.next(at: time(0)) == .look(at: time(0), limit: limit))
    }

    @Test func aFullLookIsNotTheLast() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        let found = (1...UInt64(limit)).map { Sample.delivery($0, url: "http://host\($0)/") }
        state.looked(found: found, limit: limit, next: nil)
        for delivery in found { #expect(state.next(at: time(0)) == .send(delivery)) }
        #expect(state.next(at: time(0)) == .look(at: time(0), limit: 2 * limit))
    }

    // MARK: Endpoints

    private func deliveries(_ numbers: ClosedRange<UInt64>, at host: String) -> [Delivery] {
        numbers.map { Sample.delivery($0, url: "http://\(host)/\($0)") }
    }

    @Test func anEndpointGetsItsShareAndTheNextOneItsTurn() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        let slow = deliveries(1...4, at: "slow")
        let quick = deliveries(5...5, at: "quick:80") + deliveries(6...6, at: "slow:81")
        state.looked(found: slow + quick, limit: limit, next: nil)
        #expect(state.next(at: time(0)) == .send(slow[0]))
        #expect(state.next(at: time(0)) == .send(slow[1]))
        #expect(state.next(at: time(0)) == .send(quick[0]))
        // Another port is another endpoint.
        #expect(state.next(at: time(0)) == .send(quick[1]))
        #expect(state.next(at: time(0)) == .sleep(until: nil))
        state.ended(ended(slow[0]), wasUnanswered: false, at: time(1))
        #expect(state.next(at: time(1)) == .send(slow[2]))
        #expect(state.next(at: time(1)) == .sleep(until: nil))
    }

    @Test func aSilentEndpointRestsAndHasThenOneTryAtATime() {
        var state = DeliveryState(endpoints: EndpointLoad(share: 2, rest: 5))
        _ = state.next(at: time(0))
        let dead = deliveries(1...5, at: "dead")
        state.looked(found: dead, limit: limit, next: time(60))
        #expect(state.next(at: time(0)) == .send(dead[0]))
        state.ended(ended(dead[0], .retry(at: time(90))), wasUnanswered: true, at: time(10))
        #expect(!state.isQuiet(at: time(10)))
        #expect(state.next(at: time(14)) == .sleep(until: time(15)))
        #expect(state.next(at: time(15)) == .send(dead[1]))
        #expect(state.next(at: time(15)) == .sleep(until: time(60)))
        // It answers, be it badly: then it is as good as any other.
        state.ended(ended(dead[1], .retry(at: time(90))), wasUnanswered: false, at: time(20))
        #expect(state.next(at: time(20)) == .send(dead[2]))
        #expect(state.next(at: time(20)) == .send(dead[3]))
        #expect(state.next(at: time(20)) == .sleep(until: time(60)))
    }

    @Test func looksGoPastABusyEndpointAsFarAsTheyMay() {
        var state = DeliveryState(endpoints: EndpointLoad(share: 1, rest: 5))
        let dead = deliveries(1...2000, at: "dead")
        _ = state.next(at: time(0))
        state.looked(found: Array(dead.prefix(limit)), limit: limit, next: nil)
        #expect(state.next(at: time(0)) == .send(dead[0]))
        for looks in 2...DeliveryState.maximumInHand / limit {
            #expect(state.next(at: time(0)) == .look(at: time(0), limit: looks * limit))
            state.looked(found: Array(dead.prefix(looks * limit)), limit: looks * limit, next: nil)
        }
        // Nothing is known of what may wait behind it, so threads need not wait for it.
        #expect(state.next(at: time(0)) == .send(dead[1]))
    }

    @Test func stopComesFirst() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one], limit: limit, next: nil)
        state.stop()
        #expect(state.next(at: time(0)) == .end)
    }
}
