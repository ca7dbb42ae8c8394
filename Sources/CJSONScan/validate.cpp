// The one place that decides what is valid JSON: RapidJSON's reader over a bounded stream, keeping nothing.
#include "CJSONScan.h"

#include <cmath>
#include <cstring>

#include "bytes.hpp"
#include "reader.hpp"

using namespace jsonscan;

namespace {

/// Marks a lone surrogate among the characters that come from escapes; no escape produces this character itself.
constexpr char loneSurrogateMark = '\x01';

/// Source and target encoding at once: checks UTF-8 and copies nothing, so that a string costs no memory. What reaches the handler
/// as the string are only the characters of two-character escapes, and the mark above.
struct CheckedUTF8 {
    typedef char Ch;
    enum { supportUnicode = 1 };

    /// Called for each \u escape. RapidJSON has joined pairs before and refused a high surrogate without a low one, not the reverse.
    template <typename Output>
    static void Encode(Output &output, unsigned codepoint) {
        if (codepoint >= 0xD800 && codepoint <= 0xDFFF) output.Put(loneSurrogateMark);
    }

    /// Called where neither an escape nor the end of the string stands: takes a run of ASCII, or one character beyond it.
    template <typename Output>
    static bool Validate(BoundedStream &input, Output &) {
        if (static_cast<uint8_t>(input.Peek()) < 0x80) {
            input.src = find<StringStop>(input.src, input.end);
            return true;
        }
        Nowhere nowhere;
        return rapidjson::UTF8<>::Validate(input, nowhere);
    }

private:
    struct Nowhere {
        void Put(char) {}
    };
};

struct Checker : rapidjson::BaseReaderHandler<CheckedUTF8, Checker> {
    explicit Checker(size_t maximumDepth) : maximumDepth(maximumDepth) {}

    bool Default() { return true; }
    bool Double(double value) {
        // RapidJSON's fast conversion can be wrong in the last digits, so what is near the limit gets a second, exact pass.
        if (std::fabs(value) < 1.79e308) return true;
        if (!exact) {
            nearLimit = true;
            return true;
        }
        return std::isfinite(value) || refuse(JSONSCAN_NUMBER_OUT_OF_RANGE);
    }
    bool String(const char *text, rapidjson::SizeType length, bool) {
        return length == 0 || std::memchr(text, loneSurrogateMark, length) == nullptr || refuse(JSONSCAN_LONE_SURROGATE);
    }
    bool StartArray() { return open(); }
    bool StartObject() { return open(); }
    bool EndArray(rapidjson::SizeType) { return close(); }
    bool EndObject(rapidjson::SizeType) { return close(); }

    const size_t maximumDepth;
    size_t depth = 0;
    bool exact = false;
    bool nearLimit = false;
    jsonscan_reason refusal = JSONSCAN_INVALID_VALUE;

private:
    bool open() { return ++depth <= maximumDepth || refuse(JSONSCAN_TOO_DEEP); }
    bool close() {
        --depth;
        return true;
    }
    bool refuse(jsonscan_reason reason) {
        refusal = reason;
        return false;
    }
};

typedef rapidjson::GenericReader<CheckedUTF8, CheckedUTF8> Reader;

// Iterative: the depth of the text costs no stack.
constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;

jsonscan_reason reason(rapidjson::ParseErrorCode code, const Checker &checker, const BoundedStream &stream, size_t offset) {
    const size_t count = static_cast<size_t>(stream.end - stream.begin);
    switch (code) {
        case rapidjson::kParseErrorTermination: return checker.refusal;
        case rapidjson::kParseErrorNumberTooBig: return JSONSCAN_NUMBER_OUT_OF_RANGE;
        case rapidjson::kParseErrorStringInvalidEncoding: return JSONSCAN_INVALID_UTF8;
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return JSONSCAN_LONE_SURROGATE;
        case rapidjson::kParseErrorDocumentRootNotSingular: return JSONSCAN_TRAILING_CONTENT;
        default: break;
    }
    if (offset >= count) return JSONSCAN_UNEXPECTED_END;
    switch (code) {
        case rapidjson::kParseErrorObjectMissName: return JSONSCAN_MISSING_NAME;
        case rapidjson::kParseErrorObjectMissColon: return JSONSCAN_MISSING_COLON;
        case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return JSONSCAN_MISSING_COMMA_OR_BRACE;
        case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return JSONSCAN_MISSING_COMMA_OR_BRACKET;
        case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex: return JSONSCAN_INVALID_ESCAPE;
        case rapidjson::kParseErrorStringMissQuotationMark: return JSONSCAN_CONTROL_CHARACTER;  // a NUL
        case rapidjson::kParseErrorStringEscapeInvalid:
            return stream.begin[offset] == '\\' ? JSONSCAN_INVALID_ESCAPE : JSONSCAN_CONTROL_CHARACTER;
        case rapidjson::kParseErrorNumberMissFraction:
        case rapidjson::kParseErrorNumberMissExponent: return JSONSCAN_INVALID_NUMBER;
        default: return JSONSCAN_INVALID_VALUE;
    }
}

/// Reads values until `expected` have been read or the text ends; between them stand commas.
template <unsigned readerFlags>
jsonscan_verdict read(const uint8_t *bytes, size_t count, size_t expected, Checker &checker) {
    BoundedStream stream(bytes, count);
    Reader reader;
    for (size_t number = 0; number < expected; ++number) {
        const rapidjson::ParseResult result =
            reader.Parse<flags | rapidjson::kParseStopWhenDoneFlag | readerFlags>(stream, checker);
        if (result.IsError()) {
            return {reason(result.Code(), checker, stream, result.Offset()), result.Offset()};
        }
        rapidjson::SkipWhitespace(stream);
        if (number + 1 == expected) break;
        if (stream.src == stream.end) return {JSONSCAN_UNEXPECTED_END, stream.Tell()};
        if (*stream.src != ',') return {JSONSCAN_MISSING_COMMA_OR_BRACKET, stream.Tell()};
        ++stream.src;
    }
    rapidjson::SkipWhitespace(stream);
    if (stream.src != stream.end) return {JSONSCAN_TRAILING_CONTENT, stream.Tell()};
    return {JSONSCAN_VALID, 0};
}

jsonscan_verdict validate(const uint8_t *bytes, size_t count, size_t maximumDepth, size_t expected) {
    Checker checker(maximumDepth);
    const jsonscan_verdict verdict = read<0>(bytes, count, expected, checker);
    if (verdict.reason != JSONSCAN_VALID || !checker.nearLimit) return verdict;
    Checker exact(maximumDepth);
    exact.exact = true;
    return read<rapidjson::kParseFullPrecisionFlag>(bytes, count, expected, exact);
}

}  // namespace

jsonscan_verdict jsonscan_validate(const uint8_t *bytes, size_t count, size_t maximum_depth) {
    if (count >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) return {JSONSCAN_BYTE_ORDER_MARK, 0};
    const uint8_t *const end = bytes + count;
    if (skip_space(bytes, end) == end) return {JSONSCAN_EMPTY, count};
    return validate(bytes, count, maximum_depth, 1);
}

jsonscan_verdict jsonscan_validate_values(const uint8_t *bytes, size_t count, size_t maximum_depth, size_t expected) {
    return validate(bytes, count, maximum_depth, expected);
}
