#if Images
    import Glibc
    import JSONBytes
    import Platform
    import Testing
    import WorkerKit

    @testable import ImageHandlers

    /// Real pictures through libvips.
    @Suite struct ImageWorkTests {
        private let folder: TemporaryFolder
        private let work: ImageWork

        init() throws {
            folder = try TemporaryFolder()
            work = ImageWork(roots: try FileRoots([folder.path]))
            try folder.write(TIFF.squares(width: 160, height: 96), to: "squares.tif")
        }

        private func run(_ operation: ImageOperation, _ payload: String, _ work: ImageWork? = nil) throws -> [Output] {
            let result = try (work ?? self.work).run(operation, JSON(validating: Array(payload.utf8)))
            // What goes into the store must be valid.
            let outputs = try JSON(validating: result.bytes).value.members()
            #expect(outputs.map(\.key) == ["outputs"])
            return try outputs[0].value.elements().map { element in
                let fields = Dictionary(uniqueKeysWithValues: element.members())
                return Output(
                    input: try #require(fields["input"]?.string()), output: try #require(fields["output"]?.string()),
                    width: try #require(fields["width"]?.integer()), height: try #require(fields["height"]?.integer()),
                    bytes: try #require(fields["bytes"]?.integer()))
            }
        }

        private struct Output: Equatable {
            var input: String
            var output: String
            var width: Int
            var height: Int
            var bytes: Int
        }

        private func refusal(_ operation: ImageOperation, _ payload: String, _ work: ImageWork? = nil) -> JobError? {
            #expect(throws: JobError.self) { try run(operation, payload, work) }
        }

        private func pixels(_ name: String) throws -> Pixels { try Pixels("\(folder.path)/\(name)") }

        @Test(arguments: [
            ("jpg", [0xFF, 0xD8, 0xFF]), ("png", [0x89, 0x50, 0x4E, 0x47]), ("webp", [0x52, 0x49, 0x46, 0x46]),
            ("tiff", [0x49, 0x49] as [UInt8]),
        ])
        func converts(_ ending: String, _ magic: [UInt8]) throws {
            let outputs = try run(.convert, #"{"input": "squares.tif", "output": "made/x.\#(ending)"}"#)
            let bytes = try folder.read("made/x.\(ending)")
            #expect(
                outputs == [
                    Output(input: "squares.tif", output: "made/x.\(ending)", width: 160, height: 96, bytes: bytes.count)
                ])
            #expect(bytes.starts(with: magic))
            #expect(try pixels("made/x.\(ending)").difference(from: pixels("squares.tif")) < 15)
            // And back again, by content and not by name.
            try folder.write(bytes, to: "copy.bin")
            #expect(try run(.convert, #"{"input": "copy.bin", "output": "./"}"#).count == 1)
            #expect(try folder.list().contains { $0.hasPrefix("copy.") && $0 != "copy.bin" })
        }

        @Test func blurs() throws {
            let outputs = try run(.blur, #"{"input": "squares.tif", "output": "blurred.png", "radius": 2}"#)
            #expect(outputs[0].width == 160)
            #expect(outputs[0].height == 96)
            let before = try pixels("squares.tif")
            let after = try pixels("blurred.png")
            // The middle of a square stays, its edge is between both colours.
            #expect(after.at(x: 8, y: 8) == before.at(x: 8, y: 8))
            let edge = after.at(x: 16, y: 8)
            #expect(edge[0] > 60 && edge[0] < 200 && edge[2] > 60 && edge[2] < 200, "\(edge)")
            #expect(after.difference(from: before) > 5)
            // More radius, more difference.
            _ = try run(.blur, #"{"input": "squares.tif", "output": "more.png", "radius": 6}"#)
            #expect(try pixels("more.png").difference(from: before) > after.difference(from: before))
        }

        @Test func whatIsTransparentHasNoColour() throws {
            let bytes = TIFF.bytes(width: 64, height: 64, hasAlpha: true) { x, _ in
                x < 32 ? [200, 100, 50, 255] : [0, 255, 0, 0]
            }
            try folder.write(bytes, to: "alpha.tif")
            _ = try run(.blur, #"{"input": "alpha.tif", "output": "alpha.png", "radius": 3}"#)
            let edge = try pixels("alpha.png").at(x: 33, y: 32)
            #expect(edge.count == 4)
            #expect(edge[3] > 20 && edge[3] < 235, "\(edge)")
            #expect(abs(Int(edge[0]) - 200) < 6 && abs(Int(edge[1]) - 100) < 6, "\(edge)")
            _ = try run(.convert, #"{"input": "alpha.tif", "output": "alpha.jpg"}"#)
            #expect(try pixels("alpha.jpg").at(x: 60, y: 32).allSatisfy { $0 > 245 })
        }

        @Test func thumbnailsFitTheirBox() throws {
            func size(_ size: String) throws -> [Int] {
                let outputs = try run(.thumbnail, #"{"input": "squares.tif", "output": "t.jpg", "size": \#(size)}"#)
                let pixels = try pixels("t.jpg")
                #expect([pixels.width, pixels.height] == [outputs[0].width, outputs[0].height])
                return [outputs[0].width, outputs[0].height]
            }
            #expect(try size("80") == [80, 48])
            #expect(try size(#"{"width": 80, "height": 24}"#) == [40, 24])
            #expect(try size(#"{"height": 48}"#) == [80, 48])
            // Never larger than it was.
            #expect(try size("1000") == [160, 96])
        }

        @Test(arguments: ImageOperation.allCases)
        func turnsPicturesUpright(_ operation: ImageOperation) throws {
            // Stored lying on its side: the red left part is the top when it is shown.
            let bytes = TIFF.bytes(width: 96, height: 64, orientation: 6) { x, _ in x < 48 ? [255, 0, 0] : [0, 0, 255] }
            try folder.write(bytes, to: "turned.tif")
            let more = operation == .thumbnail ? #", "size": 96"# : ""
            let outputs = try run(operation, #"{"input": "turned.tif", "output": "upright.png"\#(more)}"#)
            #expect([outputs[0].width, outputs[0].height] == [64, 96])
            let upright = try pixels("upright.png")
            #expect(upright.at(x: 10, y: 10)[0] > 250)
            #expect(upright.at(x: 10, y: 86)[2] > 250)
        }

        @Test func worksThroughLists() throws {
            try folder.write(TIFF.squares(width: 40, height: 20), to: "b.tif")
            let outputs = try run(.blur, #"{"input": ["squares.tif", "b.tif"], "output": "out/", "format": "jpeg"}"#)
            #expect(outputs.map(\.output) == ["out/squares.jpg", "out/b.jpg"])
            #expect(try folder.list("out") == ["b.jpg", "squares.jpg"])
        }

        @Test func replacesFilesAndLeavesNothingElse() throws {
            try folder.write([1, 2, 3], to: "x.png")
            _ = try run(.convert, #"{"input": "squares.tif", "output": "x.png"}"#)
            // In place, too.
            _ = try run(.blur, #"{"input": "x.png", "output": "x.png"}"#)
            #expect(try folder.list() == ["squares.tif", "x.png"])
            #expect(try pixels("x.png").width == 160)
        }

        @Test func aLinkAtTheOutputIsReplacedAndNotFollowed() throws {
            let other = try TemporaryFolder()
            try other.write([7], to: "precious")
            try folder.link("x.png", to: other.path + "/precious")
            _ = try run(.convert, #"{"input": "squares.tif", "output": "x.png"}"#)
            #expect(try other.read("precious") == [7])
            #expect(try folder.read("x.png").count > 100)
        }

        @Test func whatFailsLeavesNoFile() throws {
            var cut = TIFF.squares(width: 160, height: 96)
            try folder.write(cut, to: "good.tif")
            _ = try run(.convert, #"{"input": "good.tif", "output": "good.jpg"}"#)
            cut = try folder.read("good.jpg")
            try folder.write(Array(cut[..<(cut.count / 2)]), to: "cut.jpg")
            try folder.makeFolder("taken.png")
            let names = try folder.list()
            #expect(refusal(.blur, #"{"input": "cut.jpg", "output": "new.png"}"#)?.type == "PictureError")
            #expect(refusal(.convert, #"{"input": "good.tif", "output": "taken.png"}"#) != nil)
            #expect(try folder.list() == names)
        }

        @Test func refusesWhatIsNoPicture() throws {
            try folder.write(Array("this is text".utf8), to: "text.jpg")
            try folder.write([], to: "empty.png")
            try folder.write(
                Array("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".utf8), to: "drawing.svg")
            for name in ["text.jpg", "empty.png", "drawing.svg"] {
                let error = refusal(.convert, #"{"input": "\#(name)", "output": "out.png"}"#)
                #expect(error?.type == "NotAPicture", "\(name): \(error?.message ?? "")")
                #expect(error?.message.contains(name) == true)
            }
            #expect(refusal(.convert, #"{"input": "none.jpg", "output": "out.png"}"#)?.type == "FileNotFound")
            #expect(refusal(.convert, #"{"input": "squares.tif", "output": "out.bmp"}"#)?.type == "UnsupportedFormat")
            #expect(refusal(.convert, #"{"input": "squares.tif", "output": "../out.png"}"#)?.type == "OutsideOfFiles")
            #expect(refusal(.convert, #"{"input": "../squares.tif", "output": "out.png"}"#)?.type == "OutsideOfFiles")
            let twice = #"{"input": ["squares.tif", "./squares.tif"], "output": "out/"}"#
            #expect(refusal(.convert, twice)?.message.contains("more than one input") == true)
        }

        @Test(arguments: ImageOperation.allCases)
        func refusesBombs(_ operation: ImageOperation) throws {
            let bomb = TIFF.bytes(width: 8, height: 8, claimed: (60_000, 60_000)) { _, _ in [0, 0, 0] }
            try folder.write(bomb, to: "bomb.tif")
            let more = operation == .thumbnail ? #", "size": 9"# : ""
            #expect(refusal(operation, #"{"input": "bomb.tif", "output": "b.png"\#(more)}"#)?.type == "PictureTooLarge")
            let strict = ImageWork(roots: try FileRoots([folder.path]), maximumPixels: 160 * 96 - 1)
            let error = refusal(operation, #"{"input": "squares.tif", "output": "b.png"\#(more)}"#, strict)
            #expect(error?.type == "PictureTooLarge")
            #expect(error?.message.contains("160x96") == true)
        }

        @Test func handlersHaveTheirNames() throws {
            let handlers = ImageHandlers.all(roots: try FileRoots([]))
            #expect(handlers.map(\.name) == ["image.blur", "image.thumbnail", "image.convert"])
        }
    }
#endif
