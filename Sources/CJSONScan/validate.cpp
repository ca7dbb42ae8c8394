// The one place that decides what is valid JSON: RapidJSON's reader over a bounded stream, keeping nothing. What is plain does not even
// need that.
#include "CJSONScan.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bytes.hpp"
#include "plain.hpp"
#include "reader.hpp"
#include "runs.hpp"

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

// Iterative: the depth of the text costs no stack. The quick way goes down a few levels only.
constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;
constexpr size_t plainLevels = 16;

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

/// Reads value after value. Each `read_…` returns false once something was refused, and `verdict` says what.
template <unsigned readerFlags>
struct Validation {
    Validation(const uint8_t *bytes, size_t count, size_t maximumDepth)
        : stream(bytes, count), checker(maximumDepth) {
        checker.exact = (readerFlags & rapidjson::kParseFullPrecisionFlag) != 0;
    }

    BoundedStream stream;
    Reader reader;
    Checker checker;
    jsonscan_verdict verdict = {JSONSCAN_VALID, 0};
    /// Behind the value that was read last.
    const uint8_t *value_stop = nullptr;

    bool refuse(jsonscan_reason reason, size_t offset) {
        verdict = {reason, offset};
        return false;
    }

    void skip() { stream.src = skip_space(stream.src, stream.end); }

    bool take(char c) {
        if (stream.Peek() != c) return false;
        stream.Take();
        return true;
    }

    /// One value and the white space behind it.
    bool read_value() { return read_plain_value() || parse_value(); }

    bool parse_value() {
        const rapidjson::ParseResult result =
            reader.Parse<flags | rapidjson::kParseStopWhenDoneFlag | readerFlags>(stream, checker);
        if (result.IsError()) {
            return refuse(reason(result.Code(), checker, stream, result.Offset()), result.Offset());
        }
        value_stop = stream.src;
        skip();
        return true;
    }

    /// False says only that the parser has to look.
    bool read_plain_value() {
        const size_t levels = std::min(checker.maximumDepth - checker.depth, plainLevels);
        const uint8_t *const stop = PlainJSON{stream.end}.value(stream.src, levels);
        if (stop == nullptr) return false;
        value_stop = stream.src = stop;
        skip();
        return true;
    }

    /// As many values as commas between them say, but not more than `maximum`, which is at least 1.
    bool read_list(size_t maximum, size_t *number) {
        *number = 0;
        do {
            skip();
            if (!read_value()) return false;
        } while (++*number < maximum && take(','));
        return true;
    }

    /// The inside of an array, whose opening bracket was just taken, and its closing bracket.
    bool read_array_rest(const jsonscan_cutting &cutting) {
        Cutter cutter(cutting, stream.begin, stream.Tell() - 1);
        skip();
        if (take(']')) return true;
        do {
            skip();
            const uint8_t *const start = stream.src;
            if (!read_value()) return false;
            cutter.add(start, value_stop);
        } while (take(','));
        cutter.finish();
        return take(']');
    }

    /// The inside of an object and its closing brace.
    bool read_object_rest(const jsonscan_cutting &cutting) {
        skip();
        if (take('}')) return true;
        do {
            skip();
            if (stream.Peek() != '"' || !read_value() || !take(':')) return false;
            skip();
            if (take('[')) {
                ++checker.depth;
                if (!read_array_rest(cutting)) return false;
                --checker.depth;
                skip();
            } else if (!read_value()) {
                return false;
            }
        } while (take(','));
        return take('}');
    }

    /// A document that is mostly one long list: an array, or an object with arrays in it. False says only that the parser has to look.
    bool read_quickly(const jsonscan_cutting &cutting) {
        skip();
        const bool isArray = take('[');
        if (!isArray && !take('{')) return false;
        ++checker.depth;
        if (!(isArray ? read_array_rest(cutting) : read_object_rest(cutting))) return false;
        skip();
        return stream.src == stream.end;
    }

    bool read_document() { return read_value() && read_end(); }

    /// Exactly so many values.
    bool read_values(size_t expected) {
        size_t number = 0;
        if (expected > 0 && !read_list(expected, &number)) return false;
        if (number < expected) {
            const bool atEnd = stream.src == stream.end;
            return refuse(atEnd ? JSONSCAN_UNEXPECTED_END : JSONSCAN_MISSING_COMMA_OR_BRACKET, stream.Tell());
        }
        return read_end();
    }

    bool read_end() {
        skip();
        return stream.src == stream.end || refuse(JSONSCAN_TRAILING_CONTENT, stream.Tell());
    }
};

typedef Validation<0> Fast;
typedef Validation<rapidjson::kParseFullPrecisionFlag> Exact;

}  // namespace

jsonscan_verdict jsonscan_validate(const uint8_t *bytes, size_t count, size_t maximum_depth) {
    bool isCut;
    return jsonscan_validate_cutting(bytes, count, maximum_depth, noCutting, &isCut);
}

jsonscan_verdict jsonscan_validate_cutting(
    const uint8_t *bytes, size_t count, size_t maximum_depth, jsonscan_cutting cutting, bool *is_cut) {
    *is_cut = false;
    if (count >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) return {JSONSCAN_BYTE_ORDER_MARK, 0};
    const uint8_t *const end = bytes + count;
    if (skip_space(bytes, end) == end) return {JSONSCAN_EMPTY, count};
    // The quick way opens two levels itself.
    if (maximum_depth >= 2) {
        Fast quick(bytes, count, maximum_depth);
        if (quick.read_quickly(cutting) && !quick.checker.nearLimit) {
            *is_cut = true;
            return quick.verdict;
        }
    }
    Fast fast(bytes, count, maximum_depth);
    if (!fast.read_document() || !fast.checker.nearLimit) return fast.verdict;
    Exact exact(bytes, count, maximum_depth);
    exact.read_document();
    return exact.verdict;
}

size_t jsonscan_finished_values(const uint8_t *bytes, size_t count, size_t maximum_depth, size_t *length) {
    Fast fast(bytes, count, maximum_depth);
    size_t number = 0;
    *length = 0;
    while (fast.read_value() && fast.take(',')) {
        ++number;
        *length = fast.stream.Tell() - 1;
    }
    return number;
}

jsonscan_verdict jsonscan_validate_values(const uint8_t *bytes, size_t count, size_t maximum_depth, size_t expected) {
    Fast fast(bytes, count, maximum_depth);
    if (!fast.read_values(expected) || !fast.checker.nearLimit) return fast.verdict;
    Exact exact(bytes, count, maximum_depth);
    exact.read_values(expected);
    return exact.verdict;
}
