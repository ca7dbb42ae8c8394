// Searches in bytes, sixteen at a time where the processor can.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace jsonscan {

inline bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

inline const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
    while (p != end && is_space(*p)) ++p;
    return p;
}

/// A set of bytes: `has` for one, `mask` for sixteen (bit i is set if byte i belongs to the set).
struct StringStop {  // what ends a run of plain characters in a string that may be invalid
    static bool has(uint8_t c) { return c == '"' || c == '\\' || c < 0x20 || c >= 0x80; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        // Signed comparison: bytes from 0x80 on are negative and so below 0x20 too.
        const __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
        const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        return _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
    }
#endif
};

struct EscapeNeeded {  // what must be escaped in a string
    static bool has(uint8_t c) { return c == '"' || c == '\\' || c < 0x20; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
        const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        return _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
    }
#endif
};

struct QuoteOrBackslash {
    static bool has(uint8_t c) { return c == '"' || c == '\\'; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        return _mm_movemask_epi8(_mm_or_si128(quote, backslash));
    }
#endif
};

struct ScalarEnd {  // what can follow a number or a literal
    static bool has(uint8_t c) { return c == ',' || c <= 0x20 || (c | 0x20) == '}'; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        const __m128i space = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x20)), v);
        const __m128i comma = _mm_cmpeq_epi8(v, _mm_set1_epi8(','));
        // ']' and '}' differ in bit 0x20 only.
        const __m128i close = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('}'));
        return _mm_movemask_epi8(_mm_or_si128(space, _mm_or_si128(comma, close)));
    }
#endif
};

struct NoDigit {
    static bool has(uint8_t c) { return static_cast<uint8_t>(c - '0') > 9; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        const __m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
        return 0xFFFF ^ _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));
    }
#endif
};

struct Structure {  // brackets, braces and the start of strings
    static bool has(uint8_t c) { return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}'; }
#if defined(__SSE2__)
    static int mask(__m128i v) {
        const __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));
        const __m128i open = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
        const __m128i close = _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'));
        const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        return _mm_movemask_epi8(_mm_or_si128(quote, _mm_or_si128(open, close)));
    }
#endif
};

/// The first byte of the set from `p` on, or `end`.
template <typename Set>
inline const uint8_t *find(const uint8_t *p, const uint8_t *end) {
#if defined(__SSE2__)
    while (end - p >= 16) {
        const int found = Set::mask(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p)));
        if (found != 0) return p + __builtin_ctz(static_cast<unsigned>(found));
        p += 16;
    }
#endif
    while (p != end && !Set::has(*p)) ++p;
    return p;
}

}  // namespace jsonscan
