import JobModel

/// Which values the options of a batch may have, wherever they stand: in a body or in a query.
enum OptionRules {
    /// A week; longer than anybody waits for one job.
    static let maximumSeconds = 604_800.0
    /// As many as the largest batch can have.
    static let chunkSizeRange = 1...10_000_000
    static let factorRange = 1.0...1000.0
    static let maximumURLBytes = 2048
    static let events = ["batch.completed"]

    static func priority(_ number: Int?) throws(Complaint) -> Int {
        try integer(number, in: BatchOptions.priorityRange)
    }

    static func maximumAttempts(_ number: Int?) throws(Complaint) -> Int {
        try integer(number, in: RetryPolicy.attemptsRange)
    }

    static func timeout(_ seconds: Double?) throws(Complaint) -> Double {
        guard let seconds, seconds > 0, seconds <= maximumSeconds else {
            throw Complaint("must be a number of seconds above 0 and up to \(Int(maximumSeconds))")
        }
        return seconds
    }

    /// - Parameters: a word or a number, whichever was given.
    static func chunkSize(word: String?, number: Int?) throws(Complaint) -> ChunkSize {
        switch (word, number) {
        case ("auto", _): return .automatic
        case ("python", _): return .python
        case (nil, .some(let number)) where chunkSizeRange.contains(number): return .exactly(number)
        default:
            throw Complaint(
                "must be \"auto\", \"python\" or an integer from \(chunkSizeRange.lowerBound) to \(chunkSizeRange.upperBound)"
            )
        }
    }

    /// A rest before the next try.
    static func rest(_ seconds: Double?) throws(Complaint) -> Double {
        try number(seconds, in: 0...maximumSeconds, unit: " of seconds")
    }

    static func factor(_ number: Double?) throws(Complaint) -> Double { try self.number(number, in: factorRange) }

    static func jitter(_ share: Double?) throws(Complaint) -> Double { try number(share, in: 0...1) }

    /// `whsec_` and the base64 text of 24 to 64 bytes, as Standard Webhooks wants it.
    static func secret(_ text: String?) throws(Complaint) -> String {
        guard let text, text.hasPrefix("whsec_"),
            let count = decodedCount(ofBase64: text.utf8.dropFirst(6)), (24...64).contains(count)
        else { throw Complaint("must be \"whsec_\" followed by 24 to 64 bytes in base64") }
        return text
    }

    static func event(_ name: String?) throws(Complaint) -> String {
        guard let name, events.contains(name) else {
            throw Complaint("must be \(events.map { "\"\($0)\"" }.joined(separator: " or "))")
        }
        return name
    }

    private static func integer(_ number: Int?, in range: ClosedRange<Int>) throws(Complaint) -> Int {
        guard let number, range.contains(number) else {
            throw Complaint("must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func number(
        _ number: Double?, in range: ClosedRange<Double>, unit: String = ""
    ) throws(Complaint) -> Double {
        guard let number, range.contains(number) else {
            throw Complaint("must be a number\(unit) from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
        }
        return number
    }

    /// How many bytes the text stands for; nil if it is no padded base64.
    private static func decodedCount(ofBase64 text: some Collection<UInt8>) -> Int? {
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard text.count % 4 == 0, padding <= 2 else { return nil }
        for byte in text.dropLast(padding) {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                continue
            default: return nil
            }
        }
        return text.count / 4 * 3 - padding
    }
}
