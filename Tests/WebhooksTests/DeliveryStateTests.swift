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
        state.ended(ended(one))
        state.ended(ended(two))
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
        state.ended(ended(one))
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
        state.ended(ended(one, .retry(at: time(5))))
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
        let found = (1...UInt64(limit)).map { Sample.delivery($0) }
        state.looked(found: found, limit: limit, next: nil)
        for delivery in found { #expect(state.next(at: time(0)) == .send(delivery)) }
        #expect(state.next(at: time(0)) == .look(at: time(0), limit: 2 * limit))
    }

    @Test func stopComesFirst() {
        var state = DeliveryState()
        _ = state.next(at: time(0))
        state.looked(found: [one], limit: limit, next: nil)
        state.stop()
        #expect(state.next(at: time(0)) == .end)
    }
}
