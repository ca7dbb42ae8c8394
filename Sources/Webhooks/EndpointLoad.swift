import HTTPClient
import JobModel

/// How many deliveries each endpoint has on their way, and which endpoints do not answer. Pure.
///
/// No endpoint has more than its share of the threads, and one that did not answer rests for a while and then has one try
/// at a time until it answers: a dead endpoint costs the others one thread, and that not all the time.
package struct EndpointLoad: Sendable {
    /// Seconds after which a silent endpoint that nobody has called since is like any other.
    private static let memory: Double = 600

    private struct Load {
        var onTheirWay = 0
        /// Set since a try got no answer.
        var restEnd: Timestamp?
    }

    private let share: Int
    private let rest: Double
    private var loads: [String: Load] = [:]

    /// - Parameters:
    ///   - share: deliveries that one endpoint may have on their way at once.
    ///   - rest: seconds in which an endpoint that did not answer is left alone.
    package init(share: Int = 2, rest: Double = 5) {
        self.share = share
        self.rest = rest
    }

    /// Host and port; of a text that is no URL, the text.
    static func endpoint(of url: String) -> String {
        guard let url = try? HTTPURL(url) else { return url }
        return "\(url.host):\(url.port)"
    }

    func isFree(_ endpoint: String, at now: Timestamp) -> Bool {
        guard let load = loads[endpoint] else { return true }
        guard let restEnd = load.restEnd else { return load.onTheirWay < share }
        return load.onTheirWay == 0 && restEnd <= now
    }

    /// When an endpoint without anything on its way has rested; nil if there is nothing to wait for.
    func restEnd(of endpoint: String) -> Timestamp? {
        guard let load = loads[endpoint], load.onTheirWay == 0 else { return nil }
        return load.restEnd
    }

    mutating func begin(_ endpoint: String) { loads[endpoint, default: Load()].onTheirWay += 1 }

    mutating func end(_ endpoint: String, wasUnanswered: Bool, at now: Timestamp) {
        guard var load = loads[endpoint] else { return }
        load.onTheirWay -= 1
        load.restEnd = wasUnanswered ? now.advanced(bySeconds: rest) : nil
        loads[endpoint] = load.onTheirWay == 0 && load.restEnd == nil ? nil : load
    }

    /// So that dead endpoints do not add up for ever.
    mutating func forgetRested(at now: Timestamp) {
        loads = loads.filter { _, load in
            guard load.onTheirWay == 0, let restEnd = load.restEnd else { return true }
            return restEnd.advanced(bySeconds: EndpointLoad.memory) > now
        }
    }
}
