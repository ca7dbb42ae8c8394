// The few functions of libvips that are used, and typed wrappers of the variadic ones, which Swift cannot call.
//
// They are declared by hand instead of by <vips/vips.h>: that header needs the compiler flags of vips.pc, among them ones that the
// package manager prohibits and warns about in every build. All of this is API that libvips has kept since 8.13.
#ifndef CVIPS_SHIM_H
#define CVIPS_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _VipsImage VipsImage;
typedef struct _VipsSource VipsSource;
typedef struct _VipsTarget VipsTarget;
typedef struct _VipsArrayDouble VipsArrayDouble;

// Unless stated otherwise: 0 on success, -1 with a message in the error buffer.

int vips_init(const char *_Nonnull program);
void vips_concurrency_set(int threads);
void vips_cache_set_max(int operations);
/// Blocked or not: the operation and all that derive from it. By their class' name.
void vips_operation_block_set(const char *_Nonnull name, int state);
/// Lines, each of which ends with a line feed.
const char *_Nonnull vips_error_buffer(void);
void vips_error_clear(void);

// Constructors return a reference for the caller to drop, or NULL.
void g_object_unref(void *_Nonnull object);
void vips_area_unref(void *_Nonnull area);

VipsSource *_Nullable vips_source_new_from_descriptor(int descriptor);
VipsTarget *_Nullable vips_target_new_to_descriptor(int descriptor);
/// The class of the loader that knows this sort of file by its first bytes, or NULL.
const char *_Nullable vips_foreign_find_load_source(VipsSource *_Nonnull source);

int vips_image_get_width(const VipsImage *_Nonnull image);
int vips_image_get_height(const VipsImage *_Nonnull image);
int vips_image_get_format(const VipsImage *_Nonnull image);
/// 1 for upright, up to 8, as EXIF numbers them.
int vips_image_get_orientation(VipsImage *_Nonnull image);
int vips_image_hasalpha(VipsImage *_Nonnull image);
int vips_image_get_bands(const VipsImage *_Nonnull image);
/// Metadata that is a number.
int vips_image_get_int(const VipsImage *_Nonnull image, const char *_Nonnull name, int *_Nonnull number);
/// Bytes of a sample in the format that `vips_image_get_format` returns.
uint64_t vips_format_sizeof(int format);
/// What the samples mean: `CVIPS_SRGB` and so on.
int vips_image_get_interpretation(const VipsImage *_Nonnull image);
/// Whether it can be converted to sRGB.
int vips_colourspace_issupported(const VipsImage *_Nonnull image);
/// 0 if there is no metadata of this name.
size_t vips_image_get_typeof(const VipsImage *_Nonnull image, const char *_Nonnull name);
/// The names of all metadata, with NULL at the end; for g_strfreev. NULL on failure.
char *_Nullable *_Nullable vips_image_get_fields(VipsImage *_Nonnull image);
void g_strfreev(char *_Nullable *_Nullable strings);
/// Whether there was metadata of this name.
int vips_image_remove(VipsImage *_Nonnull image, const char *_Nonnull name);

/// Some of `VipsInterpretation`.
static const int CVIPS_GREY = 1;
static const int CVIPS_CMYK = 15;
static const int CVIPS_SRGB = 22;
static const int CVIPS_RGB16 = 25;
static const int CVIPS_GREY16 = 26;

// For tests.
int vips_concurrency_get(void);
int vips_cache_get_size(void);
/// All pixels; to be freed. NULL on failure.
void *_Nullable vips_image_write_to_memory(VipsImage *_Nonnull image, size_t *_Nonnull size);

// Variadic: called through the wrappers below only.
VipsImage *_Nullable vips_image_new_from_source(VipsSource *_Nonnull source, const char *_Nonnull options, ...);
int vips_copy(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, ...);
int vips_autorot(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, ...);
int vips_gaussblur(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, double sigma, ...);
int vips_premultiply(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, ...);
int vips_unpremultiply(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, ...);
int vips_flatten(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, ...);
int vips_colourspace(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, int space, ...);
int vips_icc_transform(
    VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, const char *_Nonnull output_profile, ...);
int vips_cast(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, int format, ...);
int vips_thumbnail_source(VipsSource *_Nonnull source, VipsImage *_Nullable *_Nonnull out, int width, ...);
int vips_jpegsave_target(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, ...);
int vips_pngsave_target(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, ...);
int vips_webpsave_target(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, ...);
int vips_tiffsave_target(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, ...);
VipsArrayDouble *_Nullable vips_array_double_newv(int count, ...);

#define CVIPS_END ((void *)0)

/// Reads the header of the first page. Sequential: rows come once, from the top down, in bounded memory; otherwise the whole
/// picture is kept in memory. Reading fails if the file is cut off.
static inline VipsImage *_Nullable cvips_open(VipsSource *_Nonnull source, bool sequential) {
    return vips_image_new_from_source(
        source, "", "access", sequential ? 1 : 0 /* VIPS_ACCESS_… */, "memory", sequential ? 0 : 1, "fail_on",
        1 /* VIPS_FAIL_ON_TRUNCATED */, CVIPS_END);
}

/// A picture with metadata of its own, on the same pixels.
static inline int cvips_copy(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    return vips_copy(in, out, CVIPS_END);
}

/// Turns the picture upright as its EXIF orientation says.
static inline int cvips_autorotate(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    return vips_autorot(in, out, CVIPS_END);
}

/// The same size; `sigma` is the standard deviation in pixels.
static inline int cvips_blur(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, double sigma) {
    return vips_gaussblur(in, out, sigma, "precision", 0 /* VIPS_PRECISION_INTEGER, twice as fast as float */, CVIPS_END);
}

static inline int cvips_premultiply(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    return vips_premultiply(in, out, CVIPS_END);
}

static inline int cvips_unpremultiply(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    return vips_unpremultiply(in, out, CVIPS_END);
}

/// `format` as `vips_image_get_format` returns it.
static inline int cvips_cast(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, int format) {
    return vips_cast(in, out, format, CVIPS_END);
}

static inline int cvips_colourspace(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out, int space) {
    return vips_colourspace(in, out, space, CVIPS_END);
}

/// Converts the colours by the picture's own profile; CMYK without a profile by a common one.
static inline int cvips_profile_to_srgb(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    const int depth = vips_format_sizeof(vips_image_get_format(in)) == 1 ? 8 : 16;
    return vips_image_get_interpretation(in) == CVIPS_CMYK
               ? vips_icc_transform(
                     in, out, "srgb", "embedded", 1, "input_profile", "cmyk", "depth", depth, CVIPS_END)
               : vips_icc_transform(in, out, "srgb", "embedded", 1, "depth", depth, CVIPS_END);
}

/// Puts a picture of eight bits, in grey or sRGB, on white.
static inline int cvips_flatten_white(VipsImage *_Nonnull in, VipsImage *_Nullable *_Nonnull out) {
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
    if (!white) return -1;
    const int result = vips_flatten(in, out, "background", white, CVIPS_END);
    vips_area_unref(white);
    return result;
}

/// Upright and as large as fits the box, but not larger than it was.
static inline int cvips_thumbnail(
    VipsSource *_Nonnull source, VipsImage *_Nullable *_Nonnull out, int width, int height) {
    return vips_thumbnail_source(
        source, out, width, "height", height, "size", 2 /* VIPS_SIZE_DOWN */,
        // For the loader: this function's own option of that name does not reach that of JPEG in 8.14.
        "option_string", "[fail_on=truncated]", CVIPS_END);
}

// `strip`: without metadata.

static inline int cvips_save_jpeg(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, int quality, bool strip) {
    return vips_jpegsave_target(in, target, "Q", quality, "strip", (int)strip, CVIPS_END);
}

static inline int cvips_save_png(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, int compression, bool strip) {
    return vips_pngsave_target(in, target, "compression", compression, "strip", (int)strip, CVIPS_END);
}

static inline int cvips_save_webp(
    VipsImage *_Nonnull in, VipsTarget *_Nonnull target, int quality, bool lossless, bool strip) {
    return vips_webpsave_target(
        in, target, "Q", quality, "lossless", (int)lossless, "strip", (int)strip, CVIPS_END);
}

/// `compression` of VipsForeignTiffCompression.
static inline int cvips_save_tiff(VipsImage *_Nonnull in, VipsTarget *_Nonnull target, int compression, bool strip) {
    return vips_tiffsave_target(in, target, "compression", compression, "strip", (int)strip, CVIPS_END);
}

#endif
