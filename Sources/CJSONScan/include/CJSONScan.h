// JSON text at the speed of memory: one validating pass (RapidJSON, where it is needed), then plain walks over what was validated.
// Imported by JSONBytes only.
//
// Every function takes pointer and length, needs no terminator and never reads past the end, whatever the bytes are. What the
// walking functions return is meaningful for validated text only.
#ifndef CJSONSCAN_H
#define CJSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Why text was refused.
typedef enum __attribute__((enum_extensibility(closed))) {
    JSONSCAN_VALID = 0,
    JSONSCAN_EMPTY,
    JSONSCAN_BYTE_ORDER_MARK,
    JSONSCAN_UNEXPECTED_END,
    JSONSCAN_TRAILING_CONTENT,
    JSONSCAN_INVALID_VALUE,
    JSONSCAN_MISSING_NAME,
    JSONSCAN_MISSING_COLON,
    JSONSCAN_MISSING_COMMA_OR_BRACE,
    JSONSCAN_MISSING_COMMA_OR_BRACKET,
    JSONSCAN_INVALID_ESCAPE,
    JSONSCAN_LONE_SURROGATE,
    JSONSCAN_CONTROL_CHARACTER,
    JSONSCAN_INVALID_UTF8,
    JSONSCAN_INVALID_NUMBER,
    JSONSCAN_NUMBER_OUT_OF_RANGE,
    JSONSCAN_TOO_DEEP
} jsonscan_reason;

/// `offset` is the byte at or just behind which the text went wrong.
typedef struct {
    jsonscan_reason reason;
    size_t offset;
} jsonscan_verdict;

typedef struct {
    size_t start;
    size_t end;
} jsonscan_span;

/// Consecutive comma-separated values.
typedef struct {
    /// From the first byte of the first value to behind the last byte of the last one.
    jsonscan_span span;
    size_t count;
    /// Length of the longest value, and its number in the run from 0.
    size_t longest;
    size_t longest_index;
} jsonscan_run;

/// Is this exactly one JSON value (RFC 8259), with white space around it at most? Arrays and objects nest to `maximum_depth` at most.
jsonscan_verdict jsonscan_validate(const uint8_t *_Nullable bytes, size_t count, size_t maximum_depth);

/// How arrays are cut, and who takes the runs.
typedef struct {
    size_t maximum_count;
    size_t maximum_bytes;
    /// `list`: where the array's bracket stands.
    void (*_Nonnull take)(void *_Nullable context, size_t list, jsonscan_run run);
    void *_Nullable context;
} jsonscan_cutting;

/// The same, and on the way the array that the value is, or those that are its members, are cut as `jsonscan_next_run` would. What was
/// taken counts only if `*is_cut` says that all was; else the text is invalid, or so uncommon that it was read in another way.
jsonscan_verdict jsonscan_validate_cutting(
    const uint8_t *_Nullable bytes, size_t count, size_t maximum_depth, jsonscan_cutting cutting, bool *_Nonnull is_cut);

/// Are these exactly `expected` JSON values with commas between them (white space allowed)?
jsonscan_verdict jsonscan_validate_values(
    const uint8_t *_Nullable bytes, size_t count, size_t maximum_depth, size_t expected);

/// How many values with a comma behind each stand at the start, up to anything else: what somebody had finished who was writing them
/// into zeros. Sets `*length` to where the last one's comma stands, or to 0.
size_t jsonscan_finished_values(
    const uint8_t *_Nullable bytes, size_t count, size_t maximum_depth, size_t *_Nonnull length);

/// Finds the next `capacity` values at most in comma-separated values, from `*position` on, and moves `*position` behind the comma
/// that follows them. Returns how many there were; 0 at the end.
size_t jsonscan_next_values(
    const uint8_t *_Nullable bytes, size_t count, size_t *_Nonnull position, jsonscan_span *_Nonnull spans,
    size_t capacity);

/// Takes as many of the next values as fit both limits, but at least one, and moves `*position` behind the comma that follows them.
/// Returns false at the end.
bool jsonscan_next_run(
    const uint8_t *_Nullable bytes, size_t count, size_t *_Nonnull position, size_t maximum_count, size_t maximum_bytes,
    jsonscan_run *_Nonnull run);

typedef struct {
    /// The name's text with its quotation marks.
    jsonscan_span name;
    jsonscan_span value;
} jsonscan_member;

/// The same as `jsonscan_next_values` for what stands between the braces of an object.
size_t jsonscan_next_members(
    const uint8_t *_Nullable bytes, size_t count, size_t *_Nonnull position, jsonscan_member *_Nonnull members,
    size_t capacity);

/// Reads a number that is integral, in whatever spelling (`3`, `3.0`, `1e3`), and fits 64 bits.
bool jsonscan_read_integer(const uint8_t *_Nullable text, size_t count, int64_t *_Nonnull value);

typedef enum __attribute__((enum_extensibility(closed))) {
    JSONSCAN_NUMBER_READ = 0,
    JSONSCAN_NUMBER_BEYOND_RANGE,
    JSONSCAN_NOT_A_NUMBER
} jsonscan_number_status;

/// Reads a number, rounded to nearest. Beyond the range is what overflows, and what underflows to zero.
jsonscan_number_status jsonscan_read_double(const uint8_t *_Nullable text, size_t count, double *_Nonnull value);

/// Replaces the escapes of a string's text (with its quotation marks). `out` has room for `count` bytes. Returns the number of bytes
/// written, or -1 if this is no string.
ptrdiff_t jsonscan_unescape(const uint8_t *_Nullable text, size_t count, uint8_t *_Nonnull out);

/// How many bytes from the start can stand in a string as they are: no quotation mark, backslash or control character.
size_t jsonscan_plain_prefix(const uint8_t *_Nullable bytes, size_t count);

/// Writes decimal digits; `out` has room for 24 bytes. Returns the number of bytes written.
size_t jsonscan_write_integer(int64_t value, uint8_t *_Nonnull out);
size_t jsonscan_write_unsigned(uint64_t value, uint8_t *_Nonnull out);
/// Writes a finite number so that it reads back as the same; `out` has room for 32 bytes.
size_t jsonscan_write_double(double value, uint8_t *_Nonnull out);

#ifdef __cplusplus
}
#endif

#endif
