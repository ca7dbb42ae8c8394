#if Images
    import CVips
    import Platform

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
    private final class Reference {
        let pointer: OpaquePointer

        init(adopting pointer: OpaquePointer?) throws(PictureError) {
            guard let pointer else { throw PictureError() }
            self.pointer = pointer
        }

        deinit { g_object_unref(UnsafeMutableRawPointer(pointer)) }
    }

    /// A file to read a picture from.
    struct PictureSource {
        private let source: Reference
        /// What its first bytes say; nil if it is no picture, or of a format that is not supported.
        let format: ImageFormat?

        /// The file is not needed any more afterwards.
        init(_ file: borrowing Descriptor) throws(PictureError) {
            try Vips.start()
            source = try Reference(adopting: vips_source_new_from_descriptor(file.rawValue))
            format = vips_foreign_find_load_source(source.pointer).flatMap { ImageFormat(loader: String(cString: $0)) }
            // It complains where it finds no loader.
            vips_error_clear()
        }

        /// Reads the header only; rows come when they are written. `isSequential`: from the top down, in little memory.
        func open(isSequential: Bool) throws(PictureError) -> Picture {
            Picture(try Reference(adopting: cvips_open(source.pointer, isSequential)))
        }

        /// Upright, made smaller to fit the box. Decodes no more than that needs.
        func thumbnail(width: Int, height: Int) throws(PictureError) -> Picture {
            try Picture.make { cvips_thumbnail(source.pointer, &$0, Int32(width), Int32(height)) }
        }
    }

    /// A picture that is computed when it is written, row by row.
    struct Picture {
        private let image: Reference

        fileprivate init(_ image: Reference) { self.image = image }

        var width: Int { Int(vips_image_get_width(image.pointer)) }
        var height: Int { Int(vips_image_get_height(image.pointer)) }
        /// Whether a viewer shows the rows as they are stored.
        var isUpright: Bool { vips_image_get_orientation(image.pointer) <= 1 }

        func upright() throws(PictureError) -> Picture {
            try Picture.make { cvips_autorotate(image.pointer, &$0) }
        }

        func blurred(radius: Double) throws(PictureError) -> Picture {
            guard vips_image_hasalpha(image.pointer) != 0 else {
                return try Picture.make { cvips_blur(image.pointer, &$0, radius) }
            }
            // The colour of what is transparent must not bleed into its surroundings.
            let format = vips_image_get_format(image.pointer)
            let weighted = try Picture.make { cvips_premultiply(image.pointer, &$0) }
            let blurred = try Picture.make { cvips_blur(weighted.image.pointer, &$0, radius) }
            let plain = try Picture.make { cvips_unpremultiply(blurred.image.pointer, &$0) }
            return try Picture.make { cvips_cast(plain.image.pointer, &$0, format) }
        }

        /// Computes the picture and writes it to a file that is open for reading and writing.
        func write(to descriptor: Int32, as format: ImageFormat) throws(PictureError) {
            let target = try Reference(adopting: vips_target_new_to_descriptor(descriptor))
            // The usual quality of JPEG encoders.
            let quality: Int32 = 75
            let result =
                switch format {
                case .jpeg: cvips_save_jpeg(image.pointer, target.pointer, quality)
                case .png: cvips_save_png(image.pointer, target.pointer)
                case .webp: cvips_save_webp(image.pointer, target.pointer, quality)
                case .tiff: cvips_save_tiff(image.pointer, target.pointer)
                }
            guard result == 0 else { throw PictureError() }
        }

        fileprivate static func make(_ operation: (inout OpaquePointer?) -> Int32) throws(PictureError) -> Picture {
            var image: OpaquePointer?
            guard operation(&image) == 0 else { throw PictureError() }
            return Picture(try Reference(adopting: image))
        }
    }

    /// The library itself.
    private enum Vips {
        /// With the first job, in the worker: libvips starts threads, and the process that forks the workers must not have any.
        static func start() throws(PictureError) {
            guard isReady else { throw PictureError() }
        }

        private static let isReady: Bool = {
            guard vips_init("jobmill") == 0 else { return false }
            // There are as many workers as processors, and no job repeats another's work.
            vips_concurrency_set(1)
            vips_cache_set_max(0)
            return true
        }()
    }
#endif
