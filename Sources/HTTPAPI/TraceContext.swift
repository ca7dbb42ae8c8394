/// The W3C Trace Context of a request.
enum TraceContext {
    /// The `traceparent` to hand on; nil if there is none, more than one, or one that is malformed: the standard wants such a header to
    /// be ignored.
    static func parent(_ headers: [String]) -> String? {
        guard headers.count == 1, let text = headers.first, isValid(text) else { return nil }
        return text
    }

    /// `version-traceid-parentid-flags`, in lower-case hexadecimal. Later versions may have more fields behind these.
    private static func isValid(_ text: String) -> Bool {
        let fields = text.split(separator: "-", omittingEmptySubsequences: false)
        guard fields.count >= 4, text.utf8.count <= 256 else { return false }
        for (field, length) in zip(fields, [2, 32, 16, 2]) {
            guard field.utf8.count == length, field.utf8.allSatisfy(isHexadecimal) else { return false }
        }
        let isAllZero = fields[1].allSatisfy { $0 == "0" } || fields[2].allSatisfy { $0 == "0" }
        let isVersionGood = fields[0] == "00" ? fields.count == 4 : fields[0] != "ff"
        return !isAllZero && isVersionGood && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
