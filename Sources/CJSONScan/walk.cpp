// Walks over validated text: where does a value end, where does the next one start.
#include "CJSONScan.h"

#include "bytes.hpp"
#include "runs.hpp"

using namespace jsonscan;

namespace {

/// Behind the string whose opening quotation mark stands just before `p`.
inline const uint8_t *string_end(const uint8_t *p, const uint8_t *end) {
    for (;;) {
        p = find<QuoteOrBackslash>(p, end);
        if (p == end) return end;
        if (*p == '"') return p + 1;
        if (end - p < 2) return end;
        p += 2;
    }
}

/// Behind the array or object that starts at `p`.
const uint8_t *container_end(const uint8_t *p, const uint8_t *end) {
    size_t depth = 0;
    for (;;) {
        p = find<Structure>(p, end);
        if (p == end) return end;
        const uint8_t c = *p++;
        if (c == '"') {
            p = string_end(p, end);
        } else if ((c | 0x20) == '{') {
            ++depth;
        } else if (--depth == 0) {
            return p;
        }
    }
}

/// Behind the value that starts at `p`; `p` itself if none does.
inline const uint8_t *value_end(const uint8_t *p, const uint8_t *end) {
    if (p == end) return end;
    switch (*p) {
        case '"': return string_end(p + 1, end);
        case '[':
        case '{': return container_end(p, end);
        default: return find<ScalarEnd>(p, end);
    }
}

/// Behind the white space, the separator and the white space from `p` on; the end of everything if something else stands there.
inline const uint8_t *behind(uint8_t separator, const uint8_t *p, const uint8_t *end) {
    p = skip_space(p, end);
    if (p == end || *p != separator) return end;
    return skip_space(p + 1, end);
}

}  // namespace

size_t jsonscan_next_values(
    const uint8_t *bytes, size_t count, size_t *position, jsonscan_span *spans, size_t capacity) {
    if (*position >= count) return 0;
    const uint8_t *const end = bytes + count;
    const uint8_t *p = skip_space(bytes + *position, end);
    size_t number = 0;
    while (number < capacity && p != end) {
        const uint8_t *const stop = value_end(p, end);
        spans[number++] = {static_cast<size_t>(p - bytes), static_cast<size_t>(stop - bytes)};
        p = behind(',', stop, end);
    }
    *position = static_cast<size_t>(p - bytes);
    return number;
}

bool jsonscan_next_run(
    const uint8_t *bytes, size_t count, size_t *position, size_t maximum_count, size_t maximum_bytes,
    jsonscan_run *run) {
    if (*position >= count) return false;
    const uint8_t *const end = bytes + count;
    const uint8_t *p = skip_space(bytes + *position, end);
    *position = static_cast<size_t>(p - bytes);
    if (p == end) return false;
    RunBuilder builder{bytes, maximum_count, maximum_bytes};
    do {
        const uint8_t *const stop = value_end(p, end);
        if (!builder.add(p, stop)) break;
        p = behind(',', stop, end);
    } while (p != end && !builder.is_full());
    *position = static_cast<size_t>(p - bytes);
    *run = builder.run;
    return true;
}

size_t jsonscan_next_members(
    const uint8_t *bytes, size_t count, size_t *position, jsonscan_member *members, size_t capacity) {
    if (*position >= count) return 0;
    const uint8_t *const end = bytes + count;
    const uint8_t *p = skip_space(bytes + *position, end);
    size_t number = 0;
    while (number < capacity && p != end && *p == '"') {
        const uint8_t *const name_end = string_end(p + 1, end);
        const uint8_t *const value = behind(':', name_end, end);
        const uint8_t *const stop = value_end(value, end);
        members[number++] = {
            {static_cast<size_t>(p - bytes), static_cast<size_t>(name_end - bytes)},
            {static_cast<size_t>(value - bytes), static_cast<size_t>(stop - bytes)}};
        p = behind(',', stop, end);
    }
    *position = number == 0 ? count : static_cast<size_t>(p - bytes);
    return number;
}
