// Consecutive values as runs.
#pragma once

#include "CJSONScan.h"

namespace jsonscan {

/// Takes values in their order, as many as fit both limits, but at least one.
struct RunBuilder {
    const uint8_t *const bytes;
    const size_t maximum_count;
    const size_t maximum_bytes;
    jsonscan_run run = {};

    bool is_full() const { return run.count > 0 && run.count >= maximum_count; }

    /// False if the value from `start` to `stop` would make the run too long.
    bool add(const uint8_t *start, const uint8_t *stop) {
        const size_t from = static_cast<size_t>(start - bytes), to = static_cast<size_t>(stop - bytes);
        if (run.count == 0) {
            run.span.start = from;
        } else if (to - run.span.start > maximum_bytes) {
            return false;
        }
        if (to - from > run.longest) {
            run.longest = to - from;
            run.longest_index = run.count;
        }
        run.count += 1;
        run.span.end = to;
        return true;
    }
};

}  // namespace jsonscan
