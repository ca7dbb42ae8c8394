#if Images
    import Testing
    import WorkerKit

    @testable import ImageHandlers

    @Suite struct HostileInputTests {
        private let studio: Studio
        private var folder: TemporaryFolder { studio.folder }

        init() throws { studio = try Studio() }

        private func refusal(_ operation: ImageOperation, of input: String, _ work: ImageWork? = nil) throws -> JobError
        {
            let names = try folder.list()
            let error = studio.refusal(
                operation, #"{"input": "\#(input)", "output": "made.png"\#(Studio.more(operation))}"#, work)
            #expect(try folder.list() == names)
            return try #require(error)
        }

        @Test(arguments: ImageOperation.allCases)
        func refusesBombsByTheirHeader(_ operation: ImageOperation) throws {
            try folder.write(
                TIFF.bytes(width: 8, height: 8, claimed: (60_000, 60_000)) { _, _ in [0, 0, 0] }, to: "bomb.tif")
            try folder.write(
                TIFF.bytes(width: 8, height: 8, claimed: (9_999_999, 9_999_999)) { _, _ in [0, 0, 0] }, to: "huge.tif")
            try folder.write(Fixtures.pngHeader(width: 50_000, height: 50_000), to: "bomb.png")
            for (name, size) in [
                ("bomb.tif", "60000x60000"), ("huge.tif", "9999999x9999999"), ("bomb.png", "50000x50000"),
            ] {
                let error = try refusal(operation, of: name)
                #expect(error.type == "PictureTooLarge")
                #expect(
                    error.message.contains(size) && error.message.contains("limit is 100000000"), "\(error.message)")
                #expect(error.message.hasPrefix(name))
            }
        }

        @Test func eachLimitIsNamed() throws {
            let pixels = 160 * 96
            func check(_ complaint: String, _ change: (inout ImageLimits) -> Void) throws {
                let error = try refusal(.convert, of: "squares.tif", try studio.worker(change))
                #expect(error.type == "PictureTooLarge")
                #expect(error.message == "squares.tif has " + complaint)
            }
            try check("\(pixels) pixels (160x96), and the limit is \(pixels - 1)") { $0.pixels = pixels - 1 }
            try check("\(pixels * 3) bytes when it is decoded, and the limit is \(pixels * 3 - 1)") {
                $0.decodedBytes = pixels * 3 - 1
            }
            let size = try folder.read("squares.tif").count
            try check("\(size) bytes, and the limit is \(size - 1)") { $0.fileBytes = size - 1 }
            // Up to its limit it is welcome.
            let generous = try studio.worker {
                $0 = ImageLimits()
                $0.pixels = pixels
                $0.decodedBytes = pixels * 3
                $0.fileBytes = size
                $0.pages = 1
            }
            try studio.run(.convert, #"{"input": "squares.tif", "output": "fits.png"}"#, generous)
        }

        @Test(arguments: ImageOperation.allCases)
        func takesTheFirstOfSeveralPages(_ operation: ImageOperation) throws {
            try folder.write(TIFF.bytes(width: 32, height: 24, pages: 3) { _, _ in [9, 9, 9] }, to: "pages.tif")
            for (name, colour) in [("red", "200, 0, 0"), ("blue", "0, 0, 200")] {
                let parts = colour.split(separator: ", ").compactMap { UInt8($0) }
                try folder.write(TIFF.bytes(width: 32, height: 24) { _, _ in parts }, to: "\(name).tif")
                try studio.run(
                    .convert, #"{"input": "\#(name).tif", "output": "\#(name).webp", "lossless": true, "strip": true}"#)
            }
            let stills = [try folder.read("red.webp"), try folder.read("blue.webp")]
            try folder.write(Fixtures.animation(stills, width: 32, height: 24), to: "moving.webp")
            for (name, pages) in [("pages.tif", 3), ("moving.webp", 2)] {
                let output = try studio.run(
                    operation, #"{"input": "\#(name)", "output": "made/x.png"\#(Studio.more(operation))}"#)[0]
                #expect(output.size == [32, 24])
                #expect(output.pages == pages)
                let strict = try studio.worker { $0.pages = pages - 1 }
                let error = try refusal(operation, of: name, strict)
                #expect(error.type == "PictureTooLarge")
                #expect(error.message == "\(name) has \(pages) pages, and the limit is \(pages - 1)")
            }
            #expect(try studio.pixels("made/x.png").at(x: 5, y: 5)[0] > 180)
        }

        @Test func manyPagesAreNotTakenForOne() throws {
            try folder.write(TIFF.bytes(width: 8, height: 8, pages: 10_001) { _, _ in [9, 9, 9] }, to: "book.tif")
            let error = try refusal(.convert, of: "book.tif")
            #expect(error.message == "book.tif has 10001 pages, and the limit is 1000")
        }

        @Test(arguments: ImageOperation.allCases)
        func refusesWhatIsCutOff(_ operation: ImageOperation) throws {
            for ending in ["jpg", "png", "webp", "tif"] {
                try studio.run(.convert, #"{"input": "squares.tif", "output": "good.\#(ending)"}"#)
                let good = try folder.read("good.\(ending)")
                try folder.write(Array(good[..<(good.count * 2 / 3)]), to: "cut.\(ending)")
                let error = try refusal(operation, of: "cut.\(ending)")
                #expect(["PictureError", "NotAPicture"].contains(error.type), "\(ending): \(error.message)")
                #expect(error.message.hasPrefix("cut.\(ending)"))
            }
        }

        @Test func refusesWhatIsNoPicture() throws {
            try folder.write(Array("this is text".utf8), to: "text.jpg")
            try folder.write([], to: "empty.png")
            try folder.write([0xFF], to: "short.jpg")
            // libvips may know these, but they are not for files from strangers.
            try folder.write(
                Array("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".utf8), to: "drawing.jpg")
            try folder.write(Array("P6 2 2 255 ".utf8) + Array(repeating: 0, count: 12), to: "plain.png")
            try folder.write(
                Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255], to: "moving.webp")
            try folder.write(Array("%PDF-1.4\n".utf8), to: "document.tif")
            for name in [
                "text.jpg", "empty.png", "short.jpg", "drawing.jpg", "plain.png", "moving.webp", "document.tif",
            ] {
                let error = try refusal(.convert, of: name)
                #expect(error.type == "NotAPicture", "\(name): \(error.message)")
                #expect(error.message.contains(name))
            }
        }

        @Test func otherLoadersAreBlockedWhoeverSniffs() throws {
            try folder.write(Array("P6 2 2 255 ".utf8) + Array(repeating: 0, count: 12), to: "plain.ppm")
            let file = try FileRoots([folder.path]).openFile("plain.ppm")
            let source = try PictureSource(file)
            let error = #expect(throws: PictureError.self) { _ = try source.open(isSequential: true) }
            #expect(error?.message.contains("blocked") == true, "\(error?.message ?? "")")
        }
    }
#endif
