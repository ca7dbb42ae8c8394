// Consecutive values as runs: those of text that was validated before, and those of a list that is being validated.
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

/// Cuts a list into runs while it is read.
struct Cutter {
    Cutter(const jsonscan_cutting &cutting, const uint8_t *bytes, size_t list)
        : cutting(cutting), list(list), builder{bytes, cutting.maximum_count, cutting.maximum_bytes} {}

    void add(const uint8_t *start, const uint8_t *stop) {
        if (!builder.is_full() && builder.add(start, stop)) return;
        finish();
        builder.run = {};
        builder.add(start, stop);
    }

    void finish() const { cutting.take(cutting.context, list, builder.run); }

private:
    const jsonscan_cutting &cutting;
    const size_t list;
    RunBuilder builder;
};

constexpr jsonscan_cutting noCutting = {SIZE_MAX, SIZE_MAX, [](void *, size_t, jsonscan_run) {}, nullptr};

}  // namespace jsonscan
