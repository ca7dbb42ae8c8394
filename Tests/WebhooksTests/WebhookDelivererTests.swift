import HTTPClient
import JobModel
import JobStore
import LocalHTTP
import Logging
import Platform
import Synchronization
import Testing
import Webhooks

@Suite struct WebhookDelivererTests {
    private let outbox = InMemoryOutbox()
    private let secret = WebhookSecret.generate()
    private let fatal = Fatal()

    private final class Fatal: Sendable {
        let errors = Monitor<[StoreError]>([])
        func first() -> StoreError? {
            let deadline = MonotonicTime.now() + TimeSpan(seconds: 20)
            return errors.wait { errors in
                !errors.isEmpty || MonotonicTime.now() >= deadline ? .done(errors.first) : .sleep(until: deadline)
            }
        }
    }

    private func deliverer(
        policy: AddressPolicy = .any, timeout: Double = 20, concurrency: Int = 4,
        delays: [Double] = [0, 0.05, 0.05, 0.05]
    ) throws -> WebhookDeliverer {
        let fatal = fatal
        let deliverer = WebhookDeliverer(
            queue: outbox,
            settings: WebhookSettings(
                secret: secret, addressPolicy: policy, timeout: timeout, concurrency: concurrency,
                schedule: RetrySchedule(delays: delays), userAgent: "Jobmill/test", recordRetryDelay: 0.05,
                endpointRest: 0.05),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: { Sample.now() },
            onFatal: { error in
                fatal.errors.withLock { $0.append(error) }
                fatal.errors.notifyAll()
            })
        try deliverer.start()
        return deliverer
    }

    /// Answers its requests one after the other with these, then with the last.
    private func listener(_ replies: LocalReply...) throws -> LocalListener {
        let next = Mutex(0)
        return try LocalListener { _ in
            next.withLock { number in
                defer { number += 1 }
                return replies[min(number, replies.count - 1)]
            }
        }
    }

    @Test func deliversSigned() throws {
        let listener = try listener(.respond(204))
        defer { listener.stop() }
        let delivery = Sample.delivery(url: "\(listener.url)/hook?x=1")
        outbox.add(delivery)
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(
            outbox.attempts(atLeast: 1)
                == [DeliveryAttempt(id: delivery.id, result: .delivered, status: 204, error: nil)])
        let request = try #require(listener.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/hook?x=1")
        #expect(request.body == delivery.body)
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("user-agent") == "Jobmill/test")
        #expect(request.header("webhook-id") == delivery.id.description)
        #expect(
            WebhookSignature.verify(
                id: delivery.id.description, timestamp: try #require(request.header("webhook-timestamp")),
                body: request.body, signature: try #require(request.header("webhook-signature")), secrets: [secret],
                now: Sample.now()))
    }

    @Test func aCallbacksOwnSecretSigns() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        let own = WebhookSecret.generate()
        outbox.add(Sample.delivery(url: listener.url, secret: own.text))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        let request = try #require(listener.requests(atLeast: 1).first)
        let signature = try #require(request.header("webhook-signature"))
        let timestamp = try #require(request.header("webhook-timestamp"))
        func isSigned(with secret: WebhookSecret) -> Bool {
            WebhookSignature.verify(
                id: Sample.delivery().id.description, timestamp: timestamp, body: request.body, signature: signature,
                secrets: [secret], now: Sample.now())
        }
        #expect(isSigned(with: own))
        #expect(!isSigned(with: secret))
    }

    @Test func triesAgainWithTheSameIdentifier() throws {
        // The silence comes first: on a connection used before, the client would try once more by itself.
        let listener = try listener(.raw(""), .respond(500), .respond(200))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        let attempts = outbox.attempts(atLeast: 3)
        #expect(attempts.map(\.status) == [nil, 500, 200])
        #expect(attempts.last?.result == .delivered)
        #expect(Set(listener.requests.map { $0.header("webhook-id") }) == [Sample.delivery().id.description])
        #expect(outbox.delivery(Sample.delivery().id)?.attempts == 3)
    }

    @Test func goneEndsTheDelivery() throws {
        let listener = try listener(.respond(410))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 1).map(\.result) == [.failed])
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 20)))
        #expect(listener.requests.count == 1)
    }

    @Test func anExhaustedScheduleEndsTheDelivery() throws {
        let listener = try listener(.respond(500))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer(delays: [0, 0.01, 0.01])
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 3).last?.result == .failed)
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 20)))
        #expect(listener.requests.count == 3)
    }

    @Test func aRedirectIsAFailureAndNotFollowed() throws {
        let listener = try listener(.respond(302, headers: [("Location", "/other")]), .respond(200))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: "\(listener.url)/here"))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 2).map(\.status) == [302, 200])
        #expect(listener.requests.map(\.target) == ["/here", "/here"])
    }

    @Test func aHangingEndpointTimesOut() throws {
        let listener = try listener(.hang, .respond(200))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer(timeout: 0.3)
        defer { deliverer.stop() }
        let attempts = outbox.attempts(atLeast: 2)
        #expect(attempts.map(\.status) == [nil, 200])
        #expect(attempts.first?.error?.contains("did not answer in time") == true)
    }

    @Test func oneHangingEndpointDoesNotHoldUpAnother() throws {
        let slow = try listener(.hang)
        let quick = try listener(.respond(200))
        defer {
            slow.stop()
            quick.stop()
        }
        // More than one look finds.
        for number in 1...100 { outbox.add(Sample.delivery(UInt64(number), url: slow.url)) }
        outbox.add(Sample.delivery(200, url: quick.url))
        let deliverer = try deliverer(timeout: 60)
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 1).map(\.id) == [Sample.delivery(200).id])
    }

    @Test func retryAfterIsHonoured() throws {
        let listener = try listener(.respond(503, headers: [("Retry-After", "3600")]))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let begin = Sample.now()
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        guard case .retry(let time) = try #require(outbox.attempts(atLeast: 1).first).result else {
            Issue.record("not tried again")
            return
        }
        #expect((3600...3660).contains(time.seconds(since: begin)))
    }

    @Test func anEndlessAnswerIsCut() throws {
        let listener = try listener(.endless(200))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer(timeout: 20)
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 1).map(\.result) == [.delivered])
    }

    @Test func thePolicyRefusesLoopback() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: "http://localhost:\(listener.port)/"))
        let deliverer = try deliverer(policy: .globalUnicastOnly, delays: [0])
        defer { deliverer.stop() }
        let attempt = try #require(outbox.attempts(atLeast: 1).first)
        #expect(attempt.result == .failed)
        #expect(attempt.error?.contains("loopback and may not be called") == true)
        #expect(listener.requests.isEmpty)
    }

    @Test func aStoredMistakeIsGivenUp() throws {
        outbox.add(Sample.delivery(1, url: "nonsense"))
        outbox.add(Sample.delivery(2, secret: "nonsense"))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        let attempts = outbox.attempts(atLeast: 2)
        #expect(attempts.map(\.result) == [.failed, .failed])
        #expect(
            Set(attempts.map(\.error)) == [
                "the URL of the callback is no absolute http or https URL",
                "the secret of the callback does not begin with whsec_",
            ])
    }

    @Test func aHintWakesItAndSilenceLetsItSleep() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 20)))
        #expect(outbox.looks == 1)
        outbox.add(Sample.delivery(url: listener.url))
        deliverer.storeDidCommit([.deliveriesAdded])
        #expect(outbox.attempts(atLeast: 1).count == 1)
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 20)))
        // One look found it; nothing has asked for another since.
        #expect(outbox.looks == 2)
        deliverer.storeDidCommit([.cancelRequested(BatchID(ULID(high: 1, low: 1)))])
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 20)))
        #expect(outbox.looks == 2)
    }

    @Test func aLaterDeliveryIsMadeWhenItIsDue() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        let due = Sample.now().advanced(bySeconds: 0.3)
        outbox.add(Sample.delivery(url: listener.url, dueAt: due))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 1).count == 1)
        #expect(Sample.now() >= due)
    }

    @Test func manyDeliveriesAreMadeOnce() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        for number in 1...300 { outbox.add(Sample.delivery(UInt64(number), url: listener.url)) }
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(deliverer.drain(until: .now() + TimeSpan(seconds: 60)))
        #expect(outbox.attempts.count == 300)
        #expect(Set(listener.requests.map { $0.header("webhook-id") }).count == 300)
        #expect(listener.requests.count == 300)
        // Connections are used again.
        #expect(Set(listener.requests.map(\.connection)).count <= 4)
    }

    @Test func stopBreaksOffAtOnceAndRecordsNothing() throws {
        let listener = try listener(.hang)
        defer { listener.stop() }
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer(timeout: 60)
        #expect(listener.requests(atLeast: 1).count == 1)
        let begin = MonotonicTime.now()
        #expect(!deliverer.drain(until: .now() + TimeSpan(seconds: 0.05)))
        deliverer.stop()
        deliverer.stop()
        #expect((MonotonicTime.now() - begin).seconds < 20)
        #expect(outbox.attempts.isEmpty)
        // After a restart it is repeated.
        let second = try self.deliverer(timeout: 60)
        defer { second.stop() }
        #expect(listener.requests(atLeast: 2).count == 2)
    }

    @Test func aFullStoreIsAskedAgainWithoutSendingAgain() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        outbox.failRecordings(with: [.full("no space"), .full("no space")])
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(outbox.attempts(atLeast: 1).map(\.result) == [.delivered])
        #expect(listener.requests.count == 1)
        #expect(fatal.errors.withLock { $0.isEmpty })
    }

    @Test func aBrokenStoreEndsTheService() throws {
        let listener = try listener(.respond(200))
        defer { listener.stop() }
        outbox.failRecordings(with: [.broken("I/O")])
        outbox.add(Sample.delivery(url: listener.url))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(fatal.first() == .broken("I/O"))
        #expect(outbox.attempts.isEmpty)
    }

    @Test func aStoreThatCannotBeReadEndsTheService() throws {
        outbox.failReads(with: .broken("I/O"))
        let deliverer = try deliverer()
        defer { deliverer.stop() }
        #expect(fatal.first() == .broken("I/O"))
    }
}
