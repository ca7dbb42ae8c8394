#if Images
    import Glibc
    import JSONBytes
    import Platform
    import Testing
    import WorkerKit

    @testable import ImageHandlers

    /// Real pictures through libvips.
    @Suite struct ImageWorkTests {
        private let studio: Studio
        private var folder: TemporaryFolder { studio.folder }

        init() throws {
            studio = try Studio()
        }

        @Test(arguments: [
            ("jpg", "jpeg", [0xFF, 0xD8, 0xFF]), ("png", "png", [0x89, 0x50, 0x4E, 0x47]),
            ("webp", "webp", [0x52, 0x49, 0x46, 0x46]), ("tiff", "tiff", [0x49, 0x49] as [UInt8]),
        ])
        func converts(_ ending: String, _ format: String, _ magic: [UInt8]) throws {
            let outputs = try studio.run(.convert, #"{"input": "squares.tif", "output": "made/x.\#(ending)"}"#)
            let bytes = try folder.read("made/x.\(ending)")
            #expect(
                outputs == [
                    Studio.Output(
                        input: "squares.tif", output: "made/x.\(ending)", format: format, width: 160, height: 96,
                        pages: 1, bytes: bytes.count)
                ])
            #expect(bytes.starts(with: magic))
            #expect(try studio.pixels("made/x.\(ending)").difference(from: studio.pixels("squares.tif")) < 15)
            // And back again, by content and not by name.
            try folder.write(bytes, to: "copy.bin")
            #expect(try studio.run(.convert, #"{"input": "copy.bin", "output": "./"}"#).count == 1)
            #expect(try folder.list().contains { $0.hasPrefix("copy.") && $0 != "copy.bin" })
        }

        @Test func blurs() throws {
            let outputs = try studio.run(.blur, #"{"input": "squares.tif", "output": "blurred.png", "radius": 2}"#)
            #expect(outputs[0].width == 160)
            #expect(outputs[0].height == 96)
            let before = try studio.pixels("squares.tif")
            let after = try studio.pixels("blurred.png")
            // The middle of a square stays, its edge is between both colours.
            #expect(after.at(x: 8, y: 8) == before.at(x: 8, y: 8))
            let edge = after.at(x: 16, y: 8)
            #expect(edge[0] > 60 && edge[0] < 200 && edge[2] > 60 && edge[2] < 200, "\(edge)")
            #expect(after.difference(from: before) > 5)
            // More radius, more difference.
            _ = try studio.run(.blur, #"{"input": "squares.tif", "output": "more.png", "radius": 6}"#)
            #expect(try studio.pixels("more.png").difference(from: before) > after.difference(from: before))
        }

        @Test func whatIsTransparentHasNoColour() throws {
            let bytes = TIFF.bytes(width: 64, height: 64, hasAlpha: true) { x, _ in
                x < 32 ? [200, 100, 50, 255] : [0, 255, 0, 0]
            }
            try folder.write(bytes, to: "alpha.tif")
            _ = try studio.run(.blur, #"{"input": "alpha.tif", "output": "alpha.png", "radius": 3}"#)
            let edge = try studio.pixels("alpha.png").at(x: 33, y: 32)
            #expect(edge.count == 4)
            #expect(edge[3] > 20 && edge[3] < 235, "\(edge)")
            #expect(abs(Int(edge[0]) - 200) < 6 && abs(Int(edge[1]) - 100) < 6, "\(edge)")
            _ = try studio.run(.convert, #"{"input": "alpha.tif", "output": "alpha.jpg"}"#)
            #expect(try studio.pixels("alpha.jpg").at(x: 60, y: 32).allSatisfy { $0 > 245 })
        }

        @Test func thumbnailsFitTheirBox() throws {
            func size(_ size: String) throws -> [Int] {
                let outputs = try studio.run(
                    .thumbnail, #"{"input": "squares.tif", "output": "t.jpg", "size": \#(size)}"#)
                let pixels = try studio.pixels("t.jpg")
                #expect([pixels.width, pixels.height] == [outputs[0].width, outputs[0].height])
                return [outputs[0].width, outputs[0].height]
            }
            #expect(try size("80") == [80, 48])
            #expect(try size(#"{"width": 80, "height": 24}"#) == [40, 24])
            #expect(try size(#"{"height": 48}"#) == [80, 48])
            // Never larger than it was.
            #expect(try size("1000") == [160, 96])
        }

        @Test func worksThroughLists() throws {
            try folder.write(TIFF.squares(width: 40, height: 20), to: "b.tif")
            let outputs = try studio.run(
                .blur, #"{"input": ["squares.tif", "b.tif"], "output": "out/", "format": "jpeg"}"#)
            #expect(outputs.map(\.output) == ["out/squares.jpg", "out/b.jpg"])
            #expect(try folder.list("out") == ["b.jpg", "squares.jpg"])
        }

        @Test func aListStopsAtTheFirstFailure() throws {
            try folder.write(Array("no picture".utf8), to: "b.tif")
            try folder.write(TIFF.squares(width: 40, height: 20), to: "c.tif")
            let payload = #"{"input": ["squares.tif", "b.tif", "c.tif"], "output": "out/", "format": "png"}"#
            let error = studio.refusal(.convert, payload)
            #expect(error?.type == "NotAPicture")
            #expect(error?.message.hasPrefix("/input/1: b.tif is not a picture") == true, "\(error?.message ?? "")")
            #expect(error?.message.hasSuffix("(1 of 3 outputs were written)") == true)
            // What was written before is whole, and what would come after is not there.
            #expect(try folder.list("out") == ["squares.png"])
            #expect(try studio.pixels("out/squares.png").width == 160)
            // The same job again, when the reason is gone.
            try folder.write(TIFF.squares(width: 8, height: 8), to: "b.tif")
            #expect(try studio.run(.convert, payload).map(\.width) == [160, 8, 40])
            #expect(try folder.list("out") == ["b.png", "c.png", "squares.png"])
        }

        @Test func replacesFilesAndLeavesNothingElse() throws {
            try folder.write([1, 2, 3], to: "x.png")
            _ = try studio.run(.convert, #"{"input": "squares.tif", "output": "x.png"}"#)
            // In place, too.
            _ = try studio.run(.blur, #"{"input": "x.png", "output": "x.png"}"#)
            #expect(try folder.list() == ["squares.tif", "x.png"])
            #expect(try studio.pixels("x.png").width == 160)
        }

        @Test func aLinkAtTheOutputIsReplacedAndNotFollowed() throws {
            let other = try TemporaryFolder()
            try other.write([7], to: "precious")
            try folder.link("x.png", to: other.path + "/precious")
            _ = try studio.run(.convert, #"{"input": "squares.tif", "output": "x.png"}"#)
            #expect(try other.read("precious") == [7])
            #expect(try folder.read("x.png").count > 100)
        }

        @Test func whatFailsLeavesNoFile() throws {
            var cut = TIFF.squares(width: 160, height: 96)
            try folder.write(cut, to: "good.tif")
            _ = try studio.run(.convert, #"{"input": "good.tif", "output": "good.jpg"}"#)
            cut = try folder.read("good.jpg")
            try folder.write(Array(cut[..<(cut.count / 2)]), to: "cut.jpg")
            try folder.makeFolder("taken.png")
            let names = try folder.list()
            #expect(studio.refusal(.blur, #"{"input": "cut.jpg", "output": "new.png"}"#)?.type == "PictureError")
            #expect(studio.refusal(.convert, #"{"input": "good.tif", "output": "taken.png"}"#) != nil)
            #expect(try folder.list() == names)
        }

        @Test func handlersHaveTheirNames() throws {
            let handlers = ImageHandlers.all(roots: try FileRoots([]))
            #expect(handlers.map(\.name) == ["image.blur", "image.thumbnail", "image.convert"])
        }

        @Test func theServiceSetsTheLimits() throws {
            #expect(try ImageLimits.from(nil).get().pixels == 100_000_000)
            let limits = try ImageLimits.from("5000").get()
            #expect(limits.pixels == 5000)
            #expect(limits.decodedBytes == 20_000)
            for setting in ["", "0", "-1", "1e9", "99999999999999999999"] {
                let error = #expect(throws: JobError.self) { try ImageLimits.from(setting).get() }
                #expect(error?.type == "InvalidConfiguration")
                #expect(error?.message.contains("JOBMILL_IMAGE_PIXELS") == true)
            }
        }
    }
#endif
