#if Images
    import CVips
    import Glibc

    /// What libvips says went wrong, its first line.
    struct PictureError: Error {
        let message: String

        init() {
            let lines = String(cString: vips_error_buffer())
            vips_error_clear()
            message = lines.split(separator: "\n").first.map(String.init) ?? "libvips failed without a message"
        }
    }

    /// Owns one reference to an object of libvips.
    final class VipsReference {
        let pointer: OpaquePointer

        init(adopting pointer: OpaquePointer?) throws(PictureError) {
            guard let pointer else { throw PictureError() }
            self.pointer = pointer
        }

        deinit { g_object_unref(UnsafeMutableRawPointer(pointer)) }
    }

    /// The library itself.
    enum Vips {
        /// With the first job, in the worker: libvips starts threads, and the process that forks the workers must not have any.
        static func start() throws(PictureError) {
            guard isReady else { throw PictureError() }
        }

        private static let isReady: Bool = {
            // What it would warn about on standard error is in the file of some job, and in that job's error if it matters.
            setenv("VIPS_WARNING", "0", 0)
            guard vips_init("jobmill") == 0 else { return false }
            // There are as many workers as processors, and no job repeats another's work.
            vips_concurrency_set(1)
            vips_cache_set_max(0)
            // Whatever else this libvips can read (drawings, PDF, ImageMagick's formats) is not for files from strangers.
            vips_operation_block_set("VipsForeignLoad", 1)
            for format in ["Jpeg", "Png", "Webp", "Tiff"] { vips_operation_block_set("VipsForeignLoad\(format)", 0) }
            return true
        }()
    }
#endif
