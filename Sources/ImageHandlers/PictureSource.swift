#if Images
    import CVips
    import Platform

    /// A file to read a picture from.
    struct PictureSource {
        private let source: VipsReference
        /// What its first bytes say; nil if it is no picture, or of a format that is not supported.
        let format: ImageFormat?

        /// The file is not needed any more afterwards.
        init(_ file: borrowing Descriptor) throws(PictureError) {
            try Vips.start()
            source = try VipsReference(adopting: vips_source_new_from_descriptor(file.rawValue))
            format = vips_foreign_find_load_source(source.pointer).flatMap { ImageFormat(loader: String(cString: $0)) }
            // It complains where it finds no loader.
            vips_error_clear()
        }

        /// Reads the header of the first page only; rows come when they are written. `isSequential`: from the top down, in little
        /// memory; otherwise all of them are kept.
        func open(isSequential: Bool) throws(PictureError) -> Picture {
            Picture(try VipsReference(adopting: cvips_open(source.pointer, isSequential)))
        }

        /// Upright, in sRGB, made smaller to fit the box. Decodes no more than that needs.
        ///
        /// - Parameter original: what `open` returned.
        func thumbnail(of original: Picture, width: Int, height: Int) throws(PictureError) -> Picture {
            let small = try Picture.make { cvips_thumbnail(source.pointer, &$0, Int32(width), Int32(height)) }
            // libvips makes sRGB of CMYK on its way, and leaves the old profile where it was.
            return original.isCMYK ? try small.without([.colourProfile]) : try small.inSRGB()
        }
    }
#endif
