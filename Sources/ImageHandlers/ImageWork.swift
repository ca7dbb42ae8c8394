#if Images
    import Glibc
    package import JSONBytes
    import Platform
    package import WorkerKit

    /// Runs the jobs of the image handlers.
    package struct ImageWork: Sendable {
        private let roots: FileRoots
        private let limits: ImageLimits

        package init(roots: FileRoots, limits: ImageLimits = ImageLimits()) {
            self.roots = roots
            self.limits = limits
        }

        /// - Returns: `{"outputs": [{"input", "output", "format", "width", "height", "pages", "bytes"}]}`, in the order of the inputs.
        /// - Throws: at the first input that fails; what was written before it stays, and nothing after it is touched.
        package func run(_ operation: ImageOperation, _ payload: JSON) throws(JobError) -> JSON {
            let request = try ImageRequest(parsing: payload.value, for: operation)
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("outputs")
            writer.beginArray()
            var outputs: Set<String> = []
            for (index, input) in request.inputs.enumerated() {
                do {
                    try process(input, request, &outputs).write(to: &writer)
                } catch {
                    guard request.inputs.count > 1 else { throw error }
                    throw JobError(
                        "/input/\(index): \(error.message) (\(index) of \(request.inputs.count) outputs were written)",
                        type: error.type)
                }
            }
            writer.endArray()
            writer.endObject()
            return writer.finish()
        }

        private func process(
            _ input: String, _ request: ImageRequest, _ outputs: inout Set<String>
        ) throws(JobError) -> ImageOutput {
            do {
                let source = try open(input)
                guard let format = source.format else {
                    throw JobError("\(input) is not a picture in \(ImageFormat.list)", type: "NotAPicture")
                }
                let place = try OutputPlace(request, input: input, inputFormat: format)
                let encoding = try request.encoding.encoding(for: place.format)
                guard outputs.insert(place.path).inserted else {
                    throw JobError("more than one input would become \(place.path)", type: "InvalidPayload")
                }
                let original = try source.open(isSequential: true)
                try limits.check(original, name: input)
                let changed = try change(original, from: source, as: request.change)
                let picture = try clean(changed, request).prepared(for: encoding)
                let bytes = try write(picture, to: place, as: encoding, strips: request.encoding.strips)
                return ImageOutput(
                    input: input, output: place.path, format: place.format, width: picture.width,
                    height: picture.height, pages: original.pages, bytes: bytes)
            } catch let error as JobError {
                throw error
            } catch let error as PictureError {
                throw JobError("\(input) cannot be processed: \(error.message)", type: "PictureError")
            } catch {
                throw JobError("\(input) cannot be processed: \(error)", type: "PictureError")
            }
        }

        private func open(_ input: String) throws -> PictureSource {
            let file = try roots.openFile(input)
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw SystemError("fstat") }
            try limits.check(fileBytes: Int(status.st_size), name: input)
            return try PictureSource(file)
        }

        private func change(
            _ original: Picture, from source: PictureSource, as change: ImageChange
        ) throws(PictureError) -> Picture {
            if case .thumbnail(let width, let height) = change {
                return try source.thumbnail(of: original, width: width, height: height)
            }
            // To turn it, all of it must be at hand.
            let upright = original.isUpright ? original : try source.open(isSequential: false).upright()
            if case .blur(let radius) = change { return try upright.blurred(radius: radius) }
            return upright
        }

        /// Without what would contradict the new picture: small copies of the old one, and colours that need a stripped profile.
        private func clean(_ picture: Picture, _ request: ImageRequest) throws(PictureError) -> Picture {
            var old: [Picture.Attachment] = [.exifThumbnail]
            // What was blurred to be hidden must not be in there either.
            if case .blur = request.change { old += [.iptc, .photoshop, .xmp] }
            let picture = try picture.without(old)
            return request.encoding.strips ? try picture.inSRGB().stripped() : picture
        }

        private func write(
            _ picture: Picture, to place: OutputPlace, as encoding: PictureEncoding, strips: Bool
        ) throws -> Int {
            let folder = try roots.openFolder(place.folder)
            do {
                let file = try NewFile(place.name, in: folder)
                try picture.write(to: file.descriptor, as: encoding, strips: strips)
                return try file.complete()
            } catch let error as SystemError {
                throw roots.refusal(of: place.path, error)
            }
        }
    }

    extension ImageLimits {
        func check(fileBytes: Int, name: String) throws(JobError) {
            try check(fileBytes, "bytes", against: self.fileBytes, name)
        }

        /// By its header.
        func check(_ picture: Picture, name: String) throws(JobError) {
            let count = picture.width * picture.height
            try check(count, "pixels (\(picture.width)x\(picture.height))", against: pixels, name)
            // After the pixels: the product cannot overflow any more.
            try check(count * picture.bytesPerPixel, "bytes when it is decoded", against: decodedBytes, name)
            try check(picture.pages, "pages", against: pages, name)
        }

        private func check(_ value: Int, _ unit: String, against limit: Int, _ name: String) throws(JobError) {
            guard value <= limit else {
                throw JobError("\(name) has \(value) \(unit), and the limit is \(limit)", type: "PictureTooLarge")
            }
        }
    }
#endif
