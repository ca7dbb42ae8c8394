#if Images
    import CVips

    /// A picture that is computed when it is written, row by row.
    struct Picture {
        /// What a file has besides pixels, by libvips' names.
        enum Attachment: String {
            case colourProfile = "icc-profile-data"
            case exifThumbnail = "jpeg-thumbnail-data"
            case iptc = "iptc-data"
            case photoshop = "photoshop-data"
            case xmp = "xmp-data"
        }

        private let image: VipsReference

        init(_ image: VipsReference) { self.image = image }

        static func make(_ operation: (inout OpaquePointer?) -> Int32) throws(PictureError) -> Picture {
            var image: OpaquePointer?
            guard operation(&image) == 0 else { throw PictureError() }
            return Picture(try VipsReference(adopting: image))
        }

        var width: Int { Int(vips_image_get_width(image.pointer)) }
        var height: Int { Int(vips_image_get_height(image.pointer)) }
        /// How many its file holds; this is the first. Not by libvips' function for this, which takes 10,000 and more for 1.
        var pages: Int {
            var count: Int32 = 1
            guard vips_image_get_typeof(image.pointer, "n-pages") != 0 else { return 1 }
            return vips_image_get_int(image.pointer, "n-pages", &count) == 0 ? Int(count) : 1
        }
        var bytesPerPixel: Int {
            Int(vips_image_get_bands(image.pointer)) * Int(vips_format_sizeof(vips_image_get_format(image.pointer)))
        }
        /// Whether a viewer shows the rows as they are stored.
        var isUpright: Bool { vips_image_get_orientation(image.pointer) <= 1 }
        var isCMYK: Bool { interpretation == CVIPS_CMYK }

        private var interpretation: Int32 { vips_image_get_interpretation(image.pointer) }
        private var hasAlpha: Bool { vips_image_hasalpha(image.pointer) != 0 }

        private func has(_ attachment: Attachment) -> Bool {
            vips_image_get_typeof(image.pointer, attachment.rawValue) != 0
        }

        /// As a viewer shows it, and without the note that it has to be turned.
        func upright() throws(PictureError) -> Picture {
            try Picture.make { cvips_autorotate(image.pointer, &$0) }
        }

        func blurred(radius: Double) throws(PictureError) -> Picture {
            guard hasAlpha else {
                return try Picture.make { cvips_blur(image.pointer, &$0, radius) }
            }
            // The colour of what is transparent must not bleed into its surroundings.
            let format = vips_image_get_format(image.pointer)
            let weighted = try Picture.make { cvips_premultiply(image.pointer, &$0) }
            let blurred = try Picture.make { cvips_blur(weighted.image.pointer, &$0, radius) }
            let plain = try Picture.make { cvips_unpremultiply(blurred.image.pointer, &$0) }
            return try Picture.make { cvips_cast(plain.image.pointer, &$0, format) }
        }

        func without(_ attachments: [Attachment]) throws(PictureError) -> Picture {
            try without(attachments.filter(has).map(\.rawValue))
        }

        /// Without anything but pixels. The savers have an option for this, but in libvips 8.14 that of WebP leaves EXIF in, with the
        /// place where the picture was taken.
        func stripped() throws(PictureError) -> Picture {
            guard let fields = vips_image_get_fields(image.pointer) else { throw PictureError() }
            defer { g_strfreev(fields) }
            var names: [String] = []
            var next = fields
            while let field = next.pointee {
                names.append(String(cString: field))
                next += 1
            }
            return try without(
                names.filter { $0.hasPrefix("exif-") || Attachment(rawValue: $0) != nil })
        }

        private func without(_ fields: [String]) throws(PictureError) -> Picture {
            guard !fields.isEmpty else { return self }
            // The original may belong to others, too.
            let copy = try Picture.make { cvips_copy(image.pointer, &$0) }
            for field in fields { _ = vips_image_remove(copy.image.pointer, field) }
            return copy
        }

        /// The same colours without a profile. A profile that is broken, or made for other colours, counts as none.
        func inSRGB() throws(PictureError) -> Picture {
            var picture = self
            if has(.colourProfile) || isCMYK {
                do {
                    picture = try Picture.make { cvips_profile_to_srgb(image.pointer, &$0) }
                } catch {
                    picture = self
                }
            }
            let isShowable = [CVIPS_GREY, CVIPS_GREY16, CVIPS_SRGB, CVIPS_RGB16].contains(picture.interpretation)
            if !isShowable && vips_colourspace_issupported(picture.image.pointer) != 0 {
                picture = try Picture.make { cvips_colourspace(picture.image.pointer, &$0, CVIPS_SRGB) }
            }
            return try picture.without([.colourProfile])
        }

        /// Within what the format of a file has: no CMYK anywhere, and what is transparent becomes white where need be.
        func prepared(for encoding: PictureEncoding) throws(PictureError) -> Picture {
            var picture = isCMYK ? try inSRGB() : self
            if encoding.isEightBit { picture = try picture.inEightBits() }
            if picture.hasAlpha && !encoding.hasAlpha {
                picture = try Picture.make { cvips_flatten_white(picture.image.pointer, &$0) }
            }
            return picture
        }

        private func inEightBits() throws(PictureError) -> Picture {
            guard bytesPerPixel != Int(vips_image_get_bands(image.pointer)) else { return self }
            // Where libvips cannot tell what the numbers mean, they are cut off when they are written.
            guard vips_colourspace_issupported(image.pointer) != 0 else { return self }
            let space = [CVIPS_GREY, CVIPS_GREY16].contains(interpretation) ? CVIPS_GREY : CVIPS_SRGB
            return try Picture.make { cvips_colourspace(image.pointer, &$0, space) }
        }

        /// Computes the picture and writes it to a file that is open for reading and writing.
        ///
        /// - Parameter strips: whether metadata and profile are left out.
        func write(to descriptor: Int32, as encoding: PictureEncoding, strips: Bool) throws(PictureError) {
            let target = try VipsReference(adopting: vips_target_new_to_descriptor(descriptor))
            let (image, file) = (image.pointer, target.pointer)
            let result =
                switch encoding {
                case .jpeg(let quality): cvips_save_jpeg(image, file, Int32(quality), strips)
                case .png(let compression): cvips_save_png(image, file, Int32(compression), strips)
                case .webp(let quality): cvips_save_webp(image, file, Int32(quality), false, strips)
                case .losslessWebP: cvips_save_webp(image, file, 75, true, strips)
                case .tiff(let compression): cvips_save_tiff(image, file, compression.vipsNumber, strips)
                }
            guard result == 0 else { throw PictureError() }
        }
    }

    extension TIFFCompression {
        /// Of libvips' `VipsForeignTiffCompression`.
        fileprivate var vipsNumber: Int32 {
            switch self {
            case .none: 0
            case .deflate: 2
            case .lzw: 5
            }
        }
    }
#endif
