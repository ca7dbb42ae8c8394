import Foundation
import Testing

@Suite struct WebhookTests {
    @Test func `the end of a batch is told with a signature that the reference library accepts`() throws {
        let receiver = try WebhookReceiver(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let api = try API(TestServer(["--demo", "--allow-private-webhooks"]))
        let id = try api.submit(
            """
            {"handler": "square", "jobs": [1, 2], "metadata": {"order": 7},
             "callback": {"url": "\(receiver.url)", "secret": "\(receiver.secret)"}}
            """)
        _ = try api.finished(id)
        let event = try receiver.next()
        #expect(event["verified"] as? Bool == true)
        let payload = try #require(event["payload"] as? [String: Any])
        #expect(payload["type"] as? String == "batch.completed")
        let batch = BatchView(try #require(payload["data"] as? [String: Any]))
        #expect(batch.fields["id"] as? String == id)
        #expect(batch.count("succeeded") == 2)
    }

    @Test func `a webhook that could not be delivered is delivered after a restart`() throws {
        let receiver = try WebhookReceiver(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", failures: 1)
        let server = try TestServer(["--demo", "--allow-private-webhooks"])
        let api = try API(server)
        let id = try api.submit(
            """
            {"handler": "square", "jobs": [1], "callback": {"url": "\(receiver.url)", "secret": "\(receiver.secret)"}}
            """)
        _ = try api.finished(id)
        let refused = try receiver.next()
        try server.restart()
        let accepted = try receiver.next()
        #expect(refused["answered"] as? Int == 500)
        #expect(accepted["answered"] as? Int == 200)
        #expect(refused["id"] as? String == accepted["id"] as? String)
    }

    @Test func `a callback that is no http URL is refused`() throws {
        let api = try API(TestServer())
        let answer = try api.post(
            "/v1/batches", #"{"handler": "square", "jobs": [1], "callback": {"url": "ftp://example.org/"}}"#)
        #expect(answer.status == 422)
        #expect(answer.text.contains("/callback/url"))
    }
}
