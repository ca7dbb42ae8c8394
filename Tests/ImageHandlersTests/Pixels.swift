#if Images
    import CVips
    import Glibc
    import Testing

    /// A picture in memory.
    struct Pixels {
        let width: Int
        let height: Int
        let bytesPerPixel: Int
        /// As EXIF numbers it.
        let orientation: Int
        /// Which of the usual sorts of metadata there are.
        let attachments: [String]
        private(set) var bytes: [UInt8]
        private var bytesPerSample: Int

        /// Decodes a file. libvips must have been used before.
        init(_ path: String) throws {
            let file = open(path, O_RDONLY)
            try #require(file >= 0, "\(path)")
            defer { close(file) }
            let source = try #require(vips_source_new_from_descriptor(file))
            defer { g_object_unref(UnsafeMutableRawPointer(source)) }
            let image = try #require(cvips_open(source, false), "\(path)")
            defer { g_object_unref(UnsafeMutableRawPointer(image)) }
            var size = 0
            let memory = try #require(vips_image_write_to_memory(image, &size))
            defer { free(memory) }
            bytes = Array(UnsafeRawBufferPointer(start: memory, count: size))
            width = Int(vips_image_get_width(image))
            height = Int(vips_image_get_height(image))
            bytesPerPixel = bytes.count / (width * height)
            bytesPerSample = bytesPerPixel / Int(vips_image_get_bands(image))
            orientation = Int(vips_image_get_orientation(image))
            attachments = ["exif-data", "jpeg-thumbnail-data", "iptc-data", "xmp-data", "icc-profile-data"].filter {
                vips_image_get_typeof(image, $0) != 0
            }
        }

        func at(x: Int, y: Int) -> [UInt8] {
            let samples = bytes.count / (width * height)
            let start = (y * width + x) * samples
            return Array(bytes[start..<(start + samples)])
        }

        /// The upper bytes of the samples.
        func eightBit() -> Pixels {
            var pixels = self
            pixels.bytes = stride(from: bytesPerSample - 1, to: bytes.count, by: bytesPerSample).map { bytes[$0] }
            pixels.bytesPerSample = 1
            return pixels
        }

        /// The mean difference of a sample from that of another picture of the same size.
        func difference(from other: Pixels) -> Double {
            guard bytes.count == other.bytes.count else { return .infinity }
            let sum = zip(bytes, other.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
            return Double(sum) / Double(bytes.count)
        }
    }
#endif
