import CJSONScan

/// Walks JSON values with commas between them and no brackets around: a segment's input, the body of a row of results.
///
/// All but `validate` and `finished` expect validated text.
package enum CommaSeparated {
    /// How many values there are.
    package static func count(_ bytes: UnsafeRawBufferPointer) -> Int {
        let text = Text(bytes)
        var position = 0
        var run = jsonscan_run()
        guard jsonscan_next_run(text.start, text.count, &position, Int.max, Int.max, &run) else { return 0 }
        return run.count
    }

    package static func count(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes(count) }

    /// The text of `taking` values behind the first `dropping` ones, as it came; less if there are not so many.
    package static func slice(_ bytes: ArraySlice<UInt8>, dropping: Int, taking: Int) -> ArraySlice<UInt8> {
        let range = bytes.withUnsafeBytes { buffer -> Range<Int> in
            let text = Text(buffer)
            var position = 0
            var run = jsonscan_run()
            if dropping > 0,
                !jsonscan_next_run(text.start, text.count, &position, dropping, Int.max, &run) || run.count < dropping
            {
                return 0..<0
            }
            guard taking > 0, jsonscan_next_run(text.start, text.count, &position, taking, Int.max, &run) else {
                return 0..<0
            }
            return run.span.range(offset: 0)
        }
        return bytes[(bytes.startIndex + range.lowerBound)..<(bytes.startIndex + range.upperBound)]
    }

    /// Calls `body` with each value's exact text, without white space around it, until it returns false. The text is valid during the
    /// call only.
    package static func forEach(
        in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) rethrows {
        let text = Text(bytes)
        // Enough to make the call into C cheap, few enough for the stack and the cache.
        let batch = 128
        try withUnsafeTemporaryAllocation(of: jsonscan_span.self, capacity: batch) { spans in
            guard let start = spans.baseAddress else { return }
            var position = 0
            while true {
                let number = jsonscan_next_values(text.start, text.count, &position, start, batch)
                if number == 0 { return }
                for index in 0..<number {
                    let span = spans[index]
                    let value = UnsafeRawBufferPointer(rebasing: bytes[span.start..<span.end])
                    if try !body(value) { return }
                }
            }
        }
    }

    /// The values at the start of bytes from anywhere that have a comma behind them, up to anything else: what somebody had finished
    /// who was writing them into zeros.
    /// - Returns: how many there are, and how long they are without the last comma.
    package static func finished(in bytes: [UInt8]) -> (count: Int, length: Int) {
        bytes.withUnsafeBytes { bytes in
            let text = Text(bytes)
            var length = 0
            let count = jsonscan_finished_values(text.start, text.count, JSONLimits.depth, &length)
            return (count, length)
        }
    }

    /// Whether bytes from anywhere are exactly so many valid values with commas between them.
    package static func validate(_ bytes: UnsafeRawBufferPointer, expectedCount: Int) -> Bool {
        let text = Text(bytes)
        guard expectedCount >= 0 else { return false }
        let verdict = jsonscan_validate_values(text.start, text.count, JSONLimits.depth, expectedCount)
        return JSONSyntaxError(verdict) == nil
    }

    package static func validate(_ bytes: [UInt8], expectedCount: Int) -> Bool {
        bytes.withUnsafeBytes { validate($0, expectedCount: expectedCount) }
    }
}
