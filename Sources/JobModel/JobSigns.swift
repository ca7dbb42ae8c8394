/// What a running job says about how far it is.
package struct JobProgress: Hashable, Sendable {
    /// From 0 to 1; nil if the job cannot tell.
    package var fraction: Double?
    /// A few words for a person, at most `messageLimit` bytes.
    package var message: String?

    package init(fraction: Double? = nil, message: String? = nil) {
        self.fraction = fraction
        self.message = message
    }

    package static let messageLimit = 1024
}

/// One line that a job logged, or that its process printed meanwhile.
package struct LogLine: Hashable, Sendable {
    package enum Source: String, Sendable, CaseIterable {
        case debug, info, warning, error
        /// Printed, not logged.
        case standardOutput = "stdout"
        case standardError = "stderr"
    }

    package var time: Timestamp
    package var source: Source
    /// Without its end of line; at most `textLimit` bytes.
    package var text: String

    package init(time: Timestamp, source: Source, text: String) {
        self.time = time
        self.source = source
        self.text = text
    }

    package static let textLimit = 4096
}

/// What a handler added to one of its batch's counters.
package struct CounterDelta: Hashable, Sendable {
    /// From 1 to `nameLimit` bytes of letters, digits, `_`, `-` and `.`.
    package var name: String
    package var amount: Int64

    package init(name: String, amount: Int64) {
        self.name = name
        self.amount = amount
    }

    package static let nameLimit = 55
    /// Different counters that a batch may have; additions to further ones are dropped.
    package static let namesPerBatch = 64

    package static func isValid(name: some StringProtocol) -> Bool {
        (1...nameLimit).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
