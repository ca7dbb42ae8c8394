// Single numbers and strings, to and from text.
#include "CJSONScan.h"

#include <charconv>
#include <cstring>
#include <limits>

#include "bytes.hpp"
#include "digits.hpp"
#include "reader.hpp"

#include <rapidjson/internal/dtoa.h>
#include <rapidjson/internal/itoa.h>

using namespace jsonscan;

namespace {

/// An integer spelled with a fraction or an exponent, without rounding.
bool read_decimal(const uint8_t *p, const uint8_t *end, bool negative, int64_t *value) {
    // Digits, first to last that is not zero, are an integer to be scaled by a power of ten.
    uint64_t digits = 0;
    int64_t exponent = 0;  // of the next digit, relative to the last digit that was taken in
    bool seen = false, fraction = false;
    int64_t pendingZeros = 0;
    for (; p != end && (is_digit(*p) || *p == '.'); ++p) {
        if (*p == '.') {
            if (fraction) return false;
            fraction = true;
            continue;
        }
        seen = true;
        if (fraction) --exponent;
        if (*p == '0') {
            if (digits != 0) ++pendingZeros;
            continue;
        }
        for (; pendingZeros > 0; --pendingZeros) {
            if (__builtin_mul_overflow(digits, uint64_t(10), &digits)) return false;
        }
        if (__builtin_mul_overflow(digits, uint64_t(10), &digits)) return false;
        if (__builtin_add_overflow(digits, uint64_t(*p - '0'), &digits)) return false;
    }
    if (!seen) return false;
    exponent += pendingZeros;
    if (p != end) {
        if ((*p | 0x20) != 'e' || ++p == end) return false;
        bool minus = false;
        if (*p == '+' || *p == '-') minus = *p++ == '-';
        if (p == end) return false;
        int64_t written = 0;
        for (; p != end; ++p) {
            if (!is_digit(*p)) return false;
            // Beyond this the sign decides alone; no text that fits in memory has as many digits.
            if (written < (int64_t(1) << 50)) written = written * 10 + (*p - '0');
        }
        exponent += minus ? -written : written;
    }
    if (digits == 0) {
        *value = 0;
        return true;
    }
    if (exponent < 0 || exponent > 18) return false;
    for (; exponent > 0; --exponent) {
        if (__builtin_mul_overflow(digits, uint64_t(10), &digits)) return false;
    }
    const uint64_t limit = uint64_t(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
    if (digits > limit) return false;
    *value = static_cast<int64_t>(negative ? ~digits + 1 : digits);
    return true;
}

struct Copier : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Copier> {
    explicit Copier(uint8_t *out) : out(out) {}
    bool Default() { return false; }
    bool String(const char *text, rapidjson::SizeType size, bool) {
        std::memcpy(out, text, size);
        length = static_cast<ptrdiff_t>(size);
        return true;
    }
    uint8_t *const out;
    ptrdiff_t length = -1;
};

}  // namespace

bool jsonscan_read_integer(const uint8_t *text, size_t count, int64_t *value) {
    if (count == 0) return false;
    const uint8_t *const end = text + count;
    const bool negative = *text == '-';
    const uint8_t *p = text + (negative ? 1 : 0);
    const size_t length = static_cast<size_t>(end - p);
    uint64_t upper = 0, lower = 0;
    if (length - 1 < 8 ? read_digits(p, length, &lower)
                       : length - 9 < 8 && read_digits(p, length - 8, &upper) && read_digits(end - 8, 8, &lower)) {
        const int64_t number = static_cast<int64_t>(upper * 100000000 + lower);
        *value = negative ? -number : number;
        return true;
    }
    return read_decimal(p, end, negative, value);
}

jsonscan_number_status jsonscan_read_double(const uint8_t *text, size_t count, double *value) {
    if (count == 0) return JSONSCAN_NOT_A_NUMBER;
    // from_chars takes infinities and NaN too.
    if (!is_digit(*text) && (*text != '-' || count < 2 || !is_digit(text[1]))) return JSONSCAN_NOT_A_NUMBER;
    const char *const start = reinterpret_cast<const char *>(text);
    const std::from_chars_result result = std::from_chars(start, start + count, *value);
    if (result.ec == std::errc::result_out_of_range) return JSONSCAN_NUMBER_BEYOND_RANGE;
    return result.ec == std::errc() && result.ptr == start + count ? JSONSCAN_NUMBER_READ : JSONSCAN_NOT_A_NUMBER;
}

ptrdiff_t jsonscan_unescape(const uint8_t *text, size_t count, uint8_t *out) {
    if (count < 2 || *text != '"') return -1;
    BoundedStream stream(text, count);
    Copier copier(out);
    rapidjson::Reader reader;
    const bool failed = reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, copier).IsError();
    return failed || stream.src != stream.end ? -1 : copier.length;
}

size_t jsonscan_plain_prefix(const uint8_t *bytes, size_t count) {
    return static_cast<size_t>(find<EscapeNeeded>(bytes, bytes + count) - bytes);
}

size_t jsonscan_write_integer(int64_t value, uint8_t *out) {
    char *const start = reinterpret_cast<char *>(out);
    return static_cast<size_t>(rapidjson::internal::i64toa(value, start) - start);
}

size_t jsonscan_write_unsigned(uint64_t value, uint8_t *out) {
    char *const start = reinterpret_cast<char *>(out);
    return static_cast<size_t>(rapidjson::internal::u64toa(value, start) - start);
}

size_t jsonscan_write_double(double value, uint8_t *out) {
    char *const start = reinterpret_cast<char *>(out);
    return static_cast<size_t>(rapidjson::internal::dtoa(value, start) - start);
}
