#if Images
    package import JSONBytes
    import Platform
    package import WorkerKit

    /// Runs the jobs of the image handlers.
    package struct ImageWork: Sendable {
        /// A small file can claim to hold a picture that would fill all memory.
        package static let maximumPixels = 200_000_000

        private let roots: FileRoots
        private let maximumPixels: Int

        package init(roots: FileRoots, maximumPixels: Int = maximumPixels) {
            self.roots = roots
            self.maximumPixels = maximumPixels
        }

        /// - Returns: `{"outputs": [{"input", "output", "width", "height", "bytes"}]}`, in the order of the inputs.
        /// - Throws: at the first input that fails; what was written before it stays.
        package func run(_ operation: ImageOperation, _ payload: JSON) throws(JobError) -> JSON {
            let request = try ImageRequest(parsing: payload.value, for: operation)
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("outputs")
            writer.beginArray()
            var outputs: Set<String> = []
            for input in request.inputs {
                let made = try process(input, request, &outputs)
                writer.beginObject()
                writer.key("input")
                writer.value(input)
                writer.key("output")
                writer.value(made.output)
                writer.key("width")
                writer.value(made.width)
                writer.key("height")
                writer.value(made.height)
                writer.key("bytes")
                writer.value(made.bytes)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
            return writer.finish()
        }

        private func process(
            _ input: String, _ request: ImageRequest, _ outputs: inout Set<String>
        ) throws(JobError) -> (output: String, width: Int, height: Int, bytes: Int) {
            do {
                let source = try PictureSource(try roots.openFile(input))
                guard let format = source.format else {
                    throw JobError("\(input) is not a picture in \(ImageFormat.list)", type: "NotAPicture")
                }
                let output = try OutputPlace(request, input: input, inputFormat: format)
                guard outputs.insert(output.path).inserted else {
                    throw JobError("more than one input would become \(output.path)", type: "InvalidPayload")
                }
                let picture = try changed(source, request.change, name: input)
                let bytes = try write(picture, to: output)
                return (output.path, picture.width, picture.height, bytes)
            } catch let error as JobError {
                throw error
            } catch let error as PictureError {
                throw JobError("\(input) cannot be processed: \(error.message)", type: "PictureError")
            } catch {
                throw JobError("\(input) cannot be processed: \(error)", type: "PictureError")
            }
        }

        private func changed(_ source: PictureSource, _ change: ImageChange, name: String) throws -> Picture {
            var picture = try source.open(isSequential: true)
            guard picture.width * picture.height <= maximumPixels else {
                throw JobError(
                    "\(name) has \(picture.width)x\(picture.height) pixels, and \(maximumPixels) is the limit",
                    type: "PictureTooLarge")
            }
            if case .thumbnail(let width, let height) = change {
                return try source.thumbnail(width: width, height: height)
            }
            if !picture.isUpright {
                // To turn it, all of it must be at hand.
                picture = try source.open(isSequential: false).upright()
            }
            if case .blur(let radius) = change { return try picture.blurred(radius: radius) }
            return picture
        }

        private func write(_ picture: Picture, to output: OutputPlace) throws -> Int {
            let folder = try roots.openFolder(output.folder)
            do {
                let file = try NewFile(output.name, in: folder)
                try picture.write(to: file.descriptor, as: output.format)
                return try file.complete()
            } catch let error as SystemError {
                throw roots.refusal(of: output.path, error)
            }
        }
    }
#endif
