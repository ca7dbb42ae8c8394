#if Images
    import JSONBytes
    import Testing
    import WorkerKit

    @testable import ImageHandlers

    /// A folder with a picture, and a worker for it.
    struct Studio {
        struct Output: Equatable {
            var input: String
            var output: String
            var format: String
            var width: Int
            var height: Int
            var pages: Int
            var bytes: Int

            var size: [Int] { [width, height] }
        }

        let folder: TemporaryFolder
        private let work: ImageWork

        init() throws {
            folder = try TemporaryFolder()
            work = ImageWork(roots: try FileRoots([folder.path]))
            try folder.write(TIFF.squares(width: 160, height: 96), to: "squares.tif")
        }

        /// A worker for the same folder with other limits.
        func worker(_ change: (inout ImageLimits) -> Void) throws -> ImageWork {
            var limits = ImageLimits()
            change(&limits)
            return ImageWork(roots: try FileRoots([folder.path]), limits: limits)
        }

        @discardableResult
        func run(_ operation: ImageOperation, _ payload: String, _ work: ImageWork? = nil) throws -> [Output] {
            let result = try (work ?? self.work).run(operation, JSON(validating: Array(payload.utf8)))
            // What goes into the store must be valid.
            let outputs = try JSON(validating: result.bytes).value.members()
            #expect(outputs.map(\.key) == ["outputs"])
            return try outputs[0].value.elements().map { element in
                let fields = Dictionary(uniqueKeysWithValues: element.members())
                #expect(fields.count == 7)
                return Output(
                    input: try #require(fields["input"]?.string()), output: try #require(fields["output"]?.string()),
                    format: try #require(fields["format"]?.string()),
                    width: try #require(fields["width"]?.integer()), height: try #require(fields["height"]?.integer()),
                    pages: try #require(fields["pages"]?.integer()), bytes: try #require(fields["bytes"]?.integer()))
            }
        }

        func refusal(_ operation: ImageOperation, _ payload: String, _ work: ImageWork? = nil) -> JobError? {
            #expect(throws: JobError.self) { try run(operation, payload, work) }
        }

        func pixels(_ name: String) throws -> Pixels { try Pixels("\(folder.path)/\(name)") }

        /// A field that the operation cannot do without, with a comma in front.
        static func more(_ operation: ImageOperation, size: Int = 64) -> String {
            operation == .thumbnail ? #", "size": \#(size)"# : ""
        }
    }
#endif
