import CJSONScan

/// Why text is no JSON value, and where.
package struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
    package let reason: Reason
    /// The byte at or just behind which the text went wrong, from 0.
    package let offset: Int

    package init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// One sentence without a full stop, such as `an array misses a comma or ']' at byte 7`.
    package var description: String {
        reason == .empty ? reason.rawValue : "\(reason.rawValue) at byte \(offset)"
    }

    package enum Reason: String, Sendable, CaseIterable {
        case empty = "there is no JSON value"
        case byteOrderMark = "there is a byte order mark before the JSON value"
        case unexpectedEnd = "the JSON value is cut off"
        case trailingContent = "there is more text behind the JSON value"
        case invalidValue = "a JSON value is expected"
        case missingName = "an object misses a member's name in quotation marks"
        case missingColon = "an object misses a colon"
        case missingCommaOrBrace = "an object misses a comma or '}'"
        case missingCommaOrBracket = "an array misses a comma or ']'"
        case invalidEscape = "a string has an invalid escape"
        case loneSurrogate = "a string has half of a surrogate pair"
        case controlCharacter = "a string has a control character that is not escaped"
        case invalidUTF8 = "a string is not valid UTF-8"
        case invalidNumber = "a number misses digits"
        case numberOutOfRange = "a number is too large for a 64-bit floating-point value"
        case tooDeep = "arrays and objects are nested too deep"
    }
}

extension JSONSyntaxError {
    /// nil for a good verdict.
    init?(_ verdict: jsonscan_verdict) {
        let reason: Reason
        switch verdict.reason {
        case .JSONSCAN_VALID: return nil
        case .JSONSCAN_EMPTY: reason = .empty
        case .JSONSCAN_BYTE_ORDER_MARK: reason = .byteOrderMark
        case .JSONSCAN_UNEXPECTED_END: reason = .unexpectedEnd
        case .JSONSCAN_TRAILING_CONTENT: reason = .trailingContent
        case .JSONSCAN_INVALID_VALUE: reason = .invalidValue
        case .JSONSCAN_MISSING_NAME: reason = .missingName
        case .JSONSCAN_MISSING_COLON: reason = .missingColon
        case .JSONSCAN_MISSING_COMMA_OR_BRACE: reason = .missingCommaOrBrace
        case .JSONSCAN_MISSING_COMMA_OR_BRACKET: reason = .missingCommaOrBracket
        case .JSONSCAN_INVALID_ESCAPE: reason = .invalidEscape
        case .JSONSCAN_LONE_SURROGATE: reason = .loneSurrogate
        case .JSONSCAN_CONTROL_CHARACTER: reason = .controlCharacter
        case .JSONSCAN_INVALID_UTF8: reason = .invalidUTF8
        case .JSONSCAN_INVALID_NUMBER: reason = .invalidNumber
        case .JSONSCAN_NUMBER_OUT_OF_RANGE: reason = .numberOutOfRange
        case .JSONSCAN_TOO_DEEP: reason = .tooDeep
        }
        self.init(reason: reason, offset: verdict.offset)
    }
}
