// Accepts most of the JSON that programs write, in one pass without a parser. What it does not accept may be valid all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bytes.hpp"

namespace jsonscan {

/// Each function takes a position and returns the one behind what stands there, or null if that is not plainly valid: strings with
/// \u escapes or beyond ASCII, numbers with exponents and whatever is wrong are left to the parser. It may accept only what the parser
/// accepts, too.
struct PlainJSON {
    const uint8_t *const end;

    /// So many digits before the point are within the range of a double, whatever stands behind it. Only an exponent could change that.
    static constexpr ptrdiff_t maximumDigits = 300;

    const uint8_t *value(const uint8_t *p, size_t levels) const {
        if (p == end) return nullptr;
        switch (*p) {
            case '"': return string(p);
            case '{': return levels == 0 ? nullptr : members(p + 1, levels - 1);
            case '[': return levels == 0 ? nullptr : elements(p + 1, levels - 1);
            case 't': return literal(p, "true", 4);
            case 'f': return literal(p, "false", 5);
            case 'n': return literal(p, "null", 4);
            default: return number(p);
        }
    }

private:
    const uint8_t *string(const uint8_t *p) const {
        if (p == end || *p != '"') return nullptr;
        for (;;) {
            p = find<StringStop>(p + 1, end);
            if (p == end) return nullptr;
            if (*p == '"') return p + 1;
            if (*p != '\\' || ++p == end || !is_short_escape(*p)) return nullptr;
        }
    }

    /// What may follow a backslash, but for u.
    static bool is_short_escape(uint8_t c) {
        switch (c) {
            case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return true;
            default: return false;
        }
    }

    const uint8_t *literal(const uint8_t *p, const char *text, size_t length) const {
        return static_cast<size_t>(end - p) >= length && std::memcmp(p, text, length) == 0 ? p + length : nullptr;
    }

    const uint8_t *number(const uint8_t *p) const {
        if (p != end && *p == '-') ++p;
        const uint8_t *stop = find<NoDigit>(p, end);
        if (stop == p || stop - p > maximumDigits || (*p == '0' && stop - p > 1)) return nullptr;
        if (stop != end && *stop == '.') {
            const uint8_t *const fraction = stop + 1;
            stop = find<NoDigit>(fraction, end);
            if (stop == fraction) return nullptr;
        }
        return stop != end && (*stop | 0x20) == 'e' ? nullptr : stop;
    }

    /// From behind the opening bracket on.
    const uint8_t *elements(const uint8_t *p, size_t levels) const {
        p = skip_space(p, end);
        if (p != end && *p == ']') return p + 1;
        for (;;) {
            p = value(p, levels);
            if (p == nullptr) return nullptr;
            p = skip_space(p, end);
            if (p == end) return nullptr;
            if (*p == ']') return p + 1;
            if (*p != ',') return nullptr;
            p = skip_space(p + 1, end);
        }
    }

    /// From behind the opening brace on.
    const uint8_t *members(const uint8_t *p, size_t levels) const {
        p = skip_space(p, end);
        if (p != end && *p == '}') return p + 1;
        for (;;) {
            p = string(p);
            if (p == nullptr) return nullptr;
            p = skip_space(p, end);
            if (p == end || *p != ':') return nullptr;
            p = value(skip_space(p + 1, end), levels);
            if (p == nullptr) return nullptr;
            p = skip_space(p, end);
            if (p == end) return nullptr;
            if (*p == '}') return p + 1;
            if (*p != ',') return nullptr;
            p = skip_space(p + 1, end);
        }
    }
};

}  // namespace jsonscan
