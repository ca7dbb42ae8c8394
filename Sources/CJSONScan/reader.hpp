// RapidJSON's reader and the stream that it reads from here.
#pragma once

#include <cstddef>
#include <cstdint>

// Sizes as wide as memory: the default of 32 bits would wrap on strings beyond 4 GiB.
#define RAPIDJSON_NO_SIZETYPEDEFINE
namespace rapidjson {
typedef std::size_t SizeType;
}
// RapidJSON asks for inlining only where NDEBUG is defined, which the package manager does not do in a release.
#define RAPIDJSON_FORCEINLINE __attribute__((always_inline))
#include <rapidjson/reader.h>

namespace jsonscan {

/// Bytes with a known end. Behind it stands a NUL for ever, which is valid nowhere in JSON.
struct BoundedStream {
    typedef char Ch;

    BoundedStream(const uint8_t *bytes, size_t count) : src(bytes), begin(bytes), end(bytes + count) {}

    Ch Peek() const { return RAPIDJSON_UNLIKELY(src == end) ? '\0' : static_cast<Ch>(*src); }
    Ch Take() { return RAPIDJSON_UNLIKELY(src == end) ? '\0' : static_cast<Ch>(*src++); }
    size_t Tell() const { return static_cast<size_t>(src - begin); }

    // Only for reading in place, which is never asked for.
    Ch *PutBegin() { return nullptr; }
    void Put(Ch) {}
    size_t PutEnd(Ch *) { return 0; }

    const uint8_t *src;
    const uint8_t *begin;
    const uint8_t *end;
};

}  // namespace jsonscan

namespace rapidjson {
template <>
struct StreamTraits<jsonscan::BoundedStream> {
    // Lets the reader keep the position in registers.
    enum { copyOptimization = 1 };
};
}  // namespace rapidjson
