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

    static func queue(_ name: String?) throws(Complaint) -> String {
        guard let name else { throw Complaint("must be a string") }
        guard NameRule.allows(name) else { throw Complaint("is no name of a queue: one \(NameRule.sentence)") }
        return name
    }

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

    static func event(_ name: String?) throws(Complaint) -> String {
        guard let name, events.contains(name) else {
            throw Complaint("must be \(events.map { "\"\($0)\"" }.joined(separator: " or "))")
        }
        return name
    }

    static func integer(_ number: Int?, in range: ClosedRange<Int>) throws(Complaint) -> Int {
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
}
