// Decimal digits, eight at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bytes.hpp"

namespace jsonscan {

inline bool is_digit(uint8_t c) { return static_cast<uint8_t>(c - '0') < 10; }

template <typename Word>
inline uint64_t load(const uint8_t *p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

/// 1 to 8 digits at once, without a branch for each: their number is hard to foretell and a wrong guess costs more than the digits.
/// False if one is no digit. Words are little-endian.
inline bool read_digits(const uint8_t *p, size_t count, uint64_t *value) {
    // The text at the upper end of a word; loads that overlap put the same bytes in the same place.
    const unsigned shift = static_cast<unsigned>(64 - 8 * count);
    uint64_t word;
    if (count >= 4) {
        word = load<uint32_t>(p) << shift | load<uint32_t>(p + count - 4) << 32;
    } else {
        word = uint64_t(p[0]) << shift | uint64_t(p[count / 2]) << (shift + 8 * (count / 2)) | uint64_t(p[count - 1]) << 56;
    }
    constexpr uint64_t zeros = 0x3030303030303030;
    // Zeros in front; a shift by 64 is undefined.
    if (shift != 0) word |= zeros >> (64 - shift);
    const uint64_t digits = word - zeros;
    // Bytes below '0' borrow and bytes above '9' carry into the upper half of a byte.
    if (((digits | (word + 0x4646464646464646)) & 0x8080808080808080) != 0) return false;
    // Neighbours are joined: digits to pairs, pairs to fours, fours to the number.
    const uint64_t pairs = digits * 10 + (digits >> 8);
    constexpr uint64_t mask = 0x000000FF000000FF;
    constexpr uint64_t high = 100 + (uint64_t(1000000) << 32), low = 1 + (uint64_t(10000) << 32);
    *value = ((pairs & mask) * high + (pairs >> 16 & mask) * low) >> 32;
    return true;
}

}  // namespace jsonscan
