import CJSONScan

package enum JSONKind: Sendable {
    case null, boolean, number, string, array, object
}

/// One value inside validated bytes: a reference to all of them and a range, cheap to copy.
package struct JSONValue: Sendable {
    private let document: [UInt8]
    /// Where its text stands in the document's bytes.
    package let range: Range<Int>

    /// - Parameter range: exactly one value without white space around it.
    init(document: [UInt8], range: Range<Int>) {
        self.document = document
        self.range = range
    }

    package var kind: JSONKind {
        switch document[range.lowerBound] {
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "{"): .object
        default: .number
        }
    }

    /// Its exact text.
    package var bytes: ArraySlice<UInt8> { document[range] }

    /// A copy of its own.
    package var json: JSON { JSON(trusted: range == document.indices ? document : Array(bytes)) }

    /// nil unless it is a number that is integral in whatever spelling (`3`, `3.0`, `1e3`) and fits Int.
    package func integer() -> Int? { withText(JSONScalar.integer) }

    /// nil unless it is a number.
    package func double() -> Double? { withText(JSONScalar.double) }

    package func boolean() -> Bool? { withText(JSONScalar.boolean) }

    /// Its characters, escapes replaced; nil unless it is a string.
    package func string() -> String? { withText(JSONScalar.string) }

    /// The first members, at most `limit`, in their order, duplicates kept; none unless it is an object.
    package func members(atMost limit: Int = .max) -> [(key: String, value: JSONValue)] {
        Array(JSONMembers(of: self).prefix(limit))
    }

    fileprivate func member(at position: inout Int) -> (key: String, value: JSONValue)? {
        guard kind == .object else { return nil }
        let inside = self.inside
        return document.withUnsafeBytes { all in
            let text = Text(UnsafeRawBufferPointer(rebasing: all[inside]))
            var member = jsonscan_member()
            guard jsonscan_next_members(text.start, text.count, &position, &member, 1) == 1 else { return nil }
            let name = member.name.range(offset: inside.lowerBound)
            // A name of validated text is always a string.
            let key = JSONScalar.string(UnsafeRawBufferPointer(rebasing: all[name])) ?? ""
            return (key, JSONValue(document: document, range: member.value.range(offset: inside.lowerBound)))
        }
    }

    /// The first elements, at most `limit`, in their order; none unless it is an array. For small arrays: `runs` cuts large ones
    /// without a value for each.
    package func elements(atMost limit: Int = .max) -> [JSONValue] {
        guard kind == .array else { return [] }
        let inside = self.inside
        return document.withUnsafeBytes { all in
            let text = Text(UnsafeRawBufferPointer(rebasing: all[inside]))
            var elements: [JSONValue] = []
            var position = 0
            var span = jsonscan_span()
            while elements.count < limit, jsonscan_next_values(text.start, text.count, &position, &span, 1) == 1 {
                elements.append(JSONValue(document: document, range: span.range(offset: inside.lowerBound)))
            }
            return elements
        }
    }

    /// Cuts an array into runs of consecutive elements. None unless it is an array.
    package func runs(_ limits: RunLimits) -> [ElementRun] {
        guard kind == .array else { return [] }
        let inside = self.inside
        return document.withUnsafeBytes { all in
            let text = Text(UnsafeRawBufferPointer(rebasing: all[inside]))
            var runs: [ElementRun] = []
            var position = 0
            var run = jsonscan_run()
            while jsonscan_next_run(
                text.start, text.count, &position, limits.maximumCount, limits.maximumBytes, &run)
            {
                runs.append(ElementRun(run, behind: runs.last, offset: inside.lowerBound))
            }
            return runs
        }
    }

    /// What stands between its brackets or braces.
    private var inside: Range<Int> { (range.lowerBound + 1)..<(range.upperBound - 1) }

    private func withText<Value>(_ read: (UnsafeRawBufferPointer) -> Value) -> Value {
        document.withUnsafeBytes { read(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

/// The members of an object in their order, duplicates kept; none of anything else.
package struct JSONMembers: Sequence, IteratorProtocol, Sendable {
    private let object: JSONValue
    private var position = 0

    package init(of object: JSONValue) { self.object = object }

    package mutating func next() -> (key: String, value: JSONValue)? { object.member(at: &position) }
}
