import CJSONScan

/// How long a run may be. One element may be longer than that, and is a run of its own then.
package struct RunLimits: Sendable {
    /// Elements, at least 1.
    package let maximumCount: Int
    /// Bytes of text.
    package let maximumBytes: Int

    package init(maximumCount: Int, maximumBytes: Int) {
        self.maximumCount = max(1, maximumCount)
        self.maximumBytes = max(0, maximumBytes)
    }
}

/// Consecutive elements of an array.
package struct ElementRun: Sendable, Hashable {
    /// The index of its first element in the array.
    package let first: Int
    package let count: Int
    /// From the first element's first byte to behind the last one's last byte in the document, with what stands between them as it came.
    package let range: Range<Int>
    /// The length in bytes of its longest element, and that element's index in the array.
    package let longest: Int
    package let longestIndex: Int

    package init(first: Int, count: Int, range: Range<Int>, longest: Int, longestIndex: Int) {
        self.first = first
        self.count = count
        self.range = range
        self.longest = longest
        self.longestIndex = longestIndex
    }

    /// - Parameter offset: where the text that the run was found in starts in the document.
    init(_ run: jsonscan_run, behind last: ElementRun?, offset: Int) {
        first = last.map { $0.first + $0.count } ?? 0
        count = run.count
        range = run.span.range(offset: offset)
        longest = run.longest
        longestIndex = first + run.longest_index
    }
}
