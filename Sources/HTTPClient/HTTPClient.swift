import CCurl
import Glibc
import Synchronization

/// An HTTP client that keeps its connections open between requests. Redirects are never followed and proxies never used.
///
/// A client serves one thread at a time and blocks it; a second one at once is a programming error and traps. Only `abort`
/// may be called from anywhere. The process should ignore SIGPIPE: libcurl is told to leave signals alone.
package final class HTTPClient: @unchecked Sendable {
    // Safe to share: the handles are used only between `isBusy` being taken and given back, except that `abort` calls
    // `curl_multi_wakeup`, which libcurl allows from any thread.
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private let isBusy = Atomic<Bool>(false)
    private let isAborted = Atomic<Bool>(false)

    /// libcurl's global state, set up once for the process.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    package init() throws(HTTPClientError) {
        guard HTTPClient.isReady, let easy = curl_easy_init() else {
            throw HTTPClientError(.protocolViolation, "libcurl cannot be initialised")
        }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            throw HTTPClientError(.protocolViolation, "libcurl cannot be initialised")
        }
        self.easy = easy
        self.multi = multi
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
        errorText.deallocate()
    }

    /// Ends the request that is under way, and every later one, with the error `aborted`. From any thread, any number of times.
    package func abort() {
        isAborted.store(true, ordering: .releasing)
        curl_multi_wakeup(multi)
    }

    /// Sends a request and collects the answer, its body up to `maximumResponseBytes`.
    package func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse {
        var response = HTTPClientResponse(head: HTTPClientHead(status: 0), body: [], isCut: false)
        let isComplete = try stream(
            request, onHead: { response.head = $0 },
            onBytes: { bytes in
                response.body.append(contentsOf: bytes)
                return true
            })
        response.isCut = !isComplete
        return response
    }

    /// Sends a request and hands the answer on as it comes: the head once, then the body in pieces that are valid only during
    /// the call. `onBytes` ends the transfer by returning false.
    ///
    /// - Returns: whether the body came to its end (not if `onBytes` or `maximumResponseBytes` ended it).
    @discardableResult
    package func stream(
        _ request: HTTPClientRequest, onHead: @escaping (HTTPClientHead) -> Void,
        onBytes: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientError) -> Bool {
        precondition(!isBusy.exchange(true, ordering: .acquiring), "an HTTPClient serves one thread at a time")
        defer { isBusy.store(false, ordering: .releasing) }
        let transfer = Transfer(request, onHead: onHead, onBytes: onBytes)
        let headers = try HeaderList(for: request)
        let body = request.body ?? []
        let code = body.withUnsafeBytes { bytes in
            // Transfer, headers and body live until here, and libcurl has let go of them before.
            withExtendedLifetime((transfer, headers)) {
                let code = configure(request, headers: headers, body: bytes, transfer: transfer)
                defer { curl_easy_reset(easy) }
                return code == CURLE_OK ? perform() : code
            }
        }
        if code == CURLE_OK { return true }
        if code == CURLE_WRITE_ERROR && transfer.isCut { return false }
        throw failure(code, of: transfer, for: request)
    }

    private func configure(
        _ request: HTTPClientRequest, headers: HeaderList, body: UnsafeRawBufferPointer, transfer: Transfer
    ) -> CURLcode {
        var code = TransferCallbacks.install(on: easy, context: Unmanaged.passUnretained(transfer).toOpaque())
        func set(_ option: CURLoption, _ value: Int) {
            if code == CURLE_OK { code = ccurl_set_long(easy, option, value) }
        }
        func set(_ option: CURLoption, _ value: String) {
            if code == CURLE_OK { code = ccurl_set_text(easy, option, value) }
        }
        errorText[0] = 0
        if code == CURLE_OK { code = ccurl_set_error_buffer(easy, errorText) }
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_CONNECTTIMEOUT_MS, HTTPClient.milliseconds(request.connectTimeout))
        if let timeout = request.timeout { set(CURLOPT_TIMEOUT_MS, HTTPClient.milliseconds(timeout)) }
        set(CURLOPT_URL, request.url.text)
        switch request.method {
        case "HEAD": set(CURLOPT_NOBODY, 1)
        case "GET" where request.body == nil: set(CURLOPT_HTTPGET, 1)
        default:
            set(CURLOPT_POST, 1)
            set(CURLOPT_CUSTOMREQUEST, request.method)
            if code == CURLE_OK { code = ccurl_set_body(easy, body.baseAddress, curl_off_t(body.count)) }
        }
        if code == CURLE_OK { code = ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers.list) }
        return code
    }

    /// Runs the transfer to its end. The multi interface is used because it can be woken up from another thread.
    private func perform() -> CURLcode {
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return CURLE_FAILED_INIT }
        defer { curl_multi_remove_handle(multi, easy) }
        while true {
            if isAborted.load(ordering: .acquiring) {
                // Do not wait for a name server either.
                _ = ccurl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
                return CURLE_ABORTED_BY_CALLBACK
            }
            var running: Int32 = 0
            guard curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
            if running == 0 { return ccurl_multi_result(multi) }
            // libcurl's own time-outs end the sleep earlier.
            guard curl_multi_poll(multi, nil, 0, 60_000, nil) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
        }
    }

    private func failure(_ code: CURLcode, of transfer: Transfer, for request: HTTPClientRequest) -> HTTPClientError {
        let endpoint = request.url.endpoint
        let detail = errorText[0] != 0 ? String(cString: errorText) : String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_ABORTED_BY_CALLBACK:
            if isAborted.load(ordering: .acquiring) {
                return HTTPClientError(.aborted, "the request to \(endpoint) was aborted")
            }
            if let refusal = transfer.refusal { return HTTPClientError(.addressRefused, refusal) }
            let reason = Int32(truncatingIfNeeded: ccurl_system_error(easy))
            let sentence = reason != 0 ? String(cString: strerror(reason)) : detail
            return HTTPClientError(.cannotConnect, "could not connect to \(endpoint): \(sentence)")
        case CURLE_COULDNT_RESOLVE_HOST:
            return HTTPClientError(.cannotResolve, "the host name \(request.url.host) could not be resolved")
        case CURLE_OPERATION_TIMEDOUT:
            return HTTPClientError(.timedOut, "\(endpoint) did not answer in time: \(detail)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
            return HTTPClientError(.insecure, "no secure connection to \(endpoint): \(detail)")
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE:
            return HTTPClientError(
                .connectionLost, "\(endpoint) closed the connection before its answer was complete: \(detail)")
        case CURLE_WRITE_ERROR:
            return HTTPClientError(
                .protocolViolation,
                "the headers of the answer from \(endpoint) exceed \(Transfer.maximumHeadBytes) bytes")
        default:
            return HTTPClientError(.protocolViolation, "the exchange with \(endpoint) failed: \(detail)")
        }
    }

    private static func milliseconds(_ seconds: Double) -> Int {
        Int(min(max(1, (seconds * 1000).rounded(.up)), 2e9))
    }
}
