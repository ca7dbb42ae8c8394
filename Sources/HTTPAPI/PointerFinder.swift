/// Finds out where in a document a syntax error is, in the words of its sender: the JSON Pointer of the innermost value that
/// holds the byte.
///
/// It walks the text before the error, which is well-formed as far as it goes, and keeps one step per open array or object.
enum PointerFinder {
    /// A pointer to something very deep says no more than one to what is around it.
    static let maximumSteps = 16
    private static let maximumKeyBytes = 100

    static func pointer(to offset: Int, in bytes: [UInt8]) -> String {
        var walk = Walk()
        for position in 0..<min(max(0, offset), bytes.count) { walk.step(bytes[position], at: position) }
        return walk.steps.prefix(maximumSteps).map { step in
            switch step {
            case .element(let index): "/\(index)"
            case .member(let key): "/" + Pointer.escaped(text(of: key, in: bytes))
            case .beforeKey: ""
            }
        }.joined()
    }

    /// As it was written, without resolving escapes; a long one is cut.
    private static func text(of key: Range<Int>, in bytes: [UInt8]) -> String {
        String(decoding: bytes[key].prefix(maximumKeyBytes), as: UTF8.self)
    }

    private enum Step {
        case element(Int)
        /// Where its name stands, without the quotes.
        case member(Range<Int>)
        /// In an object, before the name of a member is known.
        case beforeKey
    }

    private struct Walk {
        var steps: [Step] = []
        private var stringStart: Int?
        private var isEscaped = false

        mutating func step(_ byte: UInt8, at position: Int) {
            if let start = stringStart {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    stringStart = nil
                    if case .beforeKey = steps.last { steps[steps.count - 1] = .member(start..<position) }
                }
                return
            }
            switch byte {
            case UInt8(ascii: "\""): stringStart = position + 1
            case UInt8(ascii: "["): steps.append(.element(0))
            case UInt8(ascii: "{"): steps.append(.beforeKey)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): _ = steps.popLast()
            case UInt8(ascii: ","):
                switch steps.last {
                case .element(let index): steps[steps.count - 1] = .element(index + 1)
                case .member: steps[steps.count - 1] = .beforeKey
                case .beforeKey, nil: break
                }
            default: break
            }
        }
    }
}
