import JobModel
import Testing
import Webhooks

@Suite struct WebhookSignatureTests {
    // The test vector of the reference libraries of Standard Webhooks.
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let body = Array(#"{"test": 2432232314}"#.utf8)
    static let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    static let now = Timestamp(microseconds: 1_614_265_330_000_000)
    let secret: WebhookSecret
    let other = WebhookSecret.generate()

    init() throws { secret = try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") }

    private func verify(
        id: String = Self.id, timestamp: String = "1614265330", body: [UInt8] = Self.body,
        signature: String = Self.signature, secrets: [WebhookSecret]? = nil, now: Timestamp = Self.now
    ) -> Bool {
        WebhookSignature.verify(
            id: id, timestamp: timestamp, body: body, signature: signature, secrets: secrets ?? [secret], now: now)
    }

    @Test func signsTheReferenceVector() {
        #expect(
            WebhookSignature.sign(id: Self.id, timestamp: 1_614_265_330, body: Self.body, secret: secret)
                == Self.signature)
    }

    @Test func verifiesWhatWasSigned() {
        #expect(verify())
        #expect(verify(secrets: [other, secret]))
        #expect(verify(signature: "v1,AAAA v2,zzzz \(Self.signature)"))
        #expect(verify(now: Self.now.advanced(bySeconds: 299)))
        #expect(verify(now: Self.now.advanced(bySeconds: -299)))
    }

    @Test func refusesEverythingElse() {
        #expect(!verify(id: "msg_other"))
        #expect(!verify(timestamp: "1614265331"))
        #expect(!verify(timestamp: "now"))
        #expect(!verify(body: Self.body + [0x20]))
        #expect(!verify(secrets: [other]))
        #expect(!verify(secrets: []))
        #expect(!verify(signature: ""))
        #expect(!verify(signature: "v1,"))
        #expect(!verify(signature: String(Self.signature.dropFirst(3))))
        #expect(!verify(signature: Self.signature.replacing("v1,", with: "v1a,")))
        #expect(!verify(signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="))
        #expect(!verify(now: Self.now.advanced(bySeconds: 301)))
        #expect(!verify(now: Self.now.advanced(bySeconds: -301)))
    }
}
