import CJSONScan

/// A JSON value whose array, or the arrays among its members, were cut into runs while it was validated: for long ones, as that
/// saves a walk over their text.
package struct CutJSON: Sendable {
    package let json: JSON
    private let limits: RunLimits
    /// By the offset of their brackets. Those that are not here are cut when they are asked for.
    private let runs: [Int: [ElementRun]]
    /// So many arrays are cut on the way, as there may be millions.
    private static let maximumArrays = 16

    /// The same as that of `JSON`.
    package init(
        validating bytes: [UInt8], maximumDepth: Int = JSONLimits.depth, limits: RunLimits
    ) throws(JSONSyntaxError) {
        self.limits = limits
        var runs: [Int: [ElementRun]] = [:]
        var isCut = false
        let verdict = withUnsafeMutablePointer(to: &runs) { runs in
            bytes.withUnsafeBytes { bytes in
                let cutting = jsonscan_cutting(
                    maximum_count: limits.maximumCount, maximum_bytes: limits.maximumBytes,
                    take: { context, list, run in
                        // What the pointer was made of a few lines before.
                        guard let runs = context?.assumingMemoryBound(to: [Int: [ElementRun]].self) else { return }
                        let last = runs.pointee[list]?.last
                        guard last != nil || runs.pointee.count < CutJSON.maximumArrays else { return }
                        runs.pointee[list, default: []].append(ElementRun(run, behind: last, offset: 0))
                    }, context: runs)
                let text = Text(bytes)
                return jsonscan_validate_cutting(text.start, text.count, max(0, maximumDepth), cutting, &isCut)
            }
        }
        if let error = JSONSyntaxError(verdict) { throw error }
        json = JSON(trimming: bytes)
        // Offsets are those of the text as it came: good if no white space was dropped before it.
        self.runs = isCut && json.bytes.first == bytes.first ? runs : [:]
    }

    /// As those of the value.
    package func runs(of array: JSONValue) -> [ElementRun] { runs[array.range.lowerBound] ?? array.runs(limits) }
}
