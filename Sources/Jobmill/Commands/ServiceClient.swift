import Foundation
import HTTPClient
import JSONBytes

/// A Jobmill service as the client commands use it.
struct ServiceClient {
    private let base: HTTPURL
    private let token: String?
    private let client: HTTPClient

    /// Seconds for one answer, beyond the time that the service was asked to wait.
    private static let timeout = 60.0

    /// - Parameter server: with or without a path before `/v1`.
    init(server: String, token: String?) throws(ClientFailure) {
        do {
            base = try HTTPURL(server)
        } catch {
            throw .usage("the server's URL '\(Output.printable(server))' \(error)")
        }
        guard !base.text.contains("?"), !base.text.contains("#") else {
            throw .usage("the server's URL '\(Output.printable(server))' has a query or a fragment")
        }
        self.token = token
        do {
            client = try HTTPClient()
        } catch {
            throw .unreachable(error)
        }
    }

    /// - Parameters:
    ///   - path: such as `/v1/handlers`; its parts are encoded already.
    ///   - wait: seconds that the service may wait for the end of the work.
    func get(_ path: String, wait: Int = 0) throws(ClientFailure) -> JSON {
        try json(of: exchange("GET", path, body: nil, wait: wait))
    }

    func post(_ path: String, _ body: [UInt8], wait: Int = 0) throws(ClientFailure) -> JSON {
        try json(of: exchange("POST", path, body: body, wait: wait))
    }

    func patch(_ path: String, _ body: [UInt8]) throws(ClientFailure) -> JSON {
        try json(of: exchange("PATCH", path, body: body, wait: 0))
    }

    /// One request, whatever the answer's status is. Only for answers that fit into memory.
    func exchange(
        _ method: String, _ path: String, body: [UInt8]?, wait: Int
    ) throws(ClientFailure) -> HTTPClientResponse {
        var request = try self.request(method, path, body: body)
        if wait > 0 { request.headers.append(("Prefer", "wait=\(wait)")) }
        // A large body may take its time.
        request.timeout = body.map { $0.count > 1 << 20 } == true ? nil : ServiceClient.timeout + Double(wait)
        do {
            return try client.send(request)
        } catch {
            throw .unreachable(error)
        }
    }

    /// Writes the body of an answer to standard output as it comes.
    ///
    /// - Returns: whether anything came, and its last byte.
    func copyToOutput(_ path: String, accept: String) throws(ClientFailure) -> UInt8? {
        var request = try self.request("GET", path, body: nil)
        request.headers.append(("Accept", accept))
        let copy = Copy()
        do {
            try client.stream(request, onHead: { copy.status = $0.status }, onBytes: copy.take)
        } catch {
            throw .unreachable(error)
        }
        if let failure = copy.failure { throw failure }
        guard (200...299).contains(copy.status) else { throw .refused(status: copy.status, body: copy.refusal) }
        return copy.last
    }

    /// What came of an answer that is copied.
    private final class Copy {
        var status = 0
        var refusal: [UInt8] = []
        var failure: ClientFailure?
        var last: UInt8?

        private static let maximumRefusal = 1 << 20

        func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
            guard (200...299).contains(status) else {
                refusal += bytes
                return refusal.count < Copy.maximumRefusal
            }
            last = bytes.last ?? last
            do throws(ClientFailure) {
                try Output.write(bytes)
                return true
            } catch {
                failure = error
                return false
            }
        }
    }

    func json(of response: HTTPClientResponse) throws(ClientFailure) -> JSON {
        guard (200...299).contains(response.status) else {
            throw .refused(status: response.status, body: response.body)
        }
        guard let json = try? JSON(validating: response.body) else { throw .unexpectedAnswer("JSON") }
        return json
    }

    private func request(_ method: String, _ path: String, body: [UInt8]?) throws(ClientFailure) -> HTTPClientRequest {
        let root = base.text.hasSuffix("/") ? String(base.text.dropLast()) : base.text
        let url: HTTPURL
        do {
            url = try HTTPURL(root + path)
        } catch {
            throw .usage("the URL \(Output.printable(root + path)) \(error)")
        }
        var headers = [("User-Agent", "Jobmill/\(Jobmill.version)")]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        return HTTPClientRequest(method: method, url: url, headers: headers, body: body)
    }

    /// A name as a part of a path or a query.
    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
