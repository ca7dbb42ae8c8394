import HTTPClient
import JobModel
import JobStore

/// Makes one try of a delivery: signs it, sends it, and says what came of it.
struct DeliverySender: Sendable {
    let settings: WebhookSettings

    /// Nil if the client was aborted: then nobody knows what came of it, and nothing is to be recorded.
    func send(_ delivery: Delivery, at time: Timestamp, with client: HTTPClient) -> DeliveryOutcome? {
        let request: HTTPClientRequest
        switch prepare(delivery, at: time) {
        case .success(let prepared): request = prepared
        case .failure(let problem): return .undeliverable(problem.description)
        }
        do {
            let response = try client.send(request)
            return .answered(status: response.status, retryAfter: response.header("Retry-After"))
        } catch {
            switch error.kind {
            case .aborted: return nil
            case .invalidRequest: return .undeliverable(error.message)
            default: return .unanswered(error.message)
            }
        }
    }

    private struct Problem: Error {
        let description: String
    }

    private func prepare(_ delivery: Delivery, at time: Timestamp) -> Result<HTTPClientRequest, Problem> {
        let secret: WebhookSecret
        do {
            secret =
                try delivery.secret.map { text throws(WebhookSecret.Problem) in try WebhookSecret(text) }
                ?? settings.secret
        } catch {
            return .failure(Problem(description: "the secret of the callback \(error.description)"))
        }
        let url: HTTPURL
        do {
            url = try HTTPURL(delivery.url)
        } catch {
            return .failure(Problem(description: "the URL of the callback \(error.description)"))
        }
        let id = delivery.id.description
        let seconds = time.microseconds / 1_000_000
        return .success(
            HTTPClientRequest(
                method: "POST", url: url,
                headers: [
                    ("content-type", "application/json"),
                    ("user-agent", settings.userAgent),
                    ("webhook-id", id),
                    ("webhook-timestamp", String(seconds)),
                    (
                        "webhook-signature",
                        WebhookSignature.sign(id: id, timestamp: seconds, body: delivery.body, secret: secret)
                    ),
                ],
                body: delivery.body, connectTimeout: min(10, settings.timeout), timeout: settings.timeout,
                // Only the status counts; a small answer is read so that the connection can be used again.
                maximumResponseBytes: 16 * 1024, addressPolicy: settings.addressPolicy))
    }
}
