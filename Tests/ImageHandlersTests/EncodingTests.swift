#if Images
    import Testing
    import WorkerKit

    @testable import ImageHandlers

    /// That the options reach the encoders.
    @Suite struct EncodingTests {
        private let studio: Studio

        init() throws {
            studio = try Studio()
            // Not quite smooth, so that the encoders have something to do.
            let bytes = TIFF.bytes(width: 160, height: 96) { x, y in
                [UInt8((x * 3 + y * 7) % 251), UInt8((x * y) % 241), UInt8((x + y * y) % 239)]
            }
            try studio.folder.write(bytes, to: "busy.tif")
        }

        private func size(_ ending: String, _ more: String) throws -> Int {
            try studio.run(.convert, #"{"input": "busy.tif", "output": "o.\#(ending)"\#(more)}"#)[0].bytes
        }

        @Test(arguments: ["jpg", "webp"])
        func qualityTradesSize(_ ending: String) throws {
            let low = try size(ending, #", "quality": 10"#)
            let usual = try size(ending, "")
            let high = try size(ending, #", "quality": 95"#)
            #expect(low < usual && usual < high)
            #expect(try size(ending, #", "quality": 75"#) == usual)
        }

        @Test func losslessWebPLosesNothing() throws {
            _ = try size("webp", #", "lossless": true"#)
            let before = try studio.pixels("busy.tif")
            #expect(try studio.pixels("o.webp").difference(from: before) == 0)
            _ = try size("webp", #", "lossless": false"#)
            #expect(try studio.pixels("o.webp").difference(from: before) > 0)
        }

        @Test func compressionLosesNothing() throws {
            let before = try studio.pixels("busy.tif")
            var sizes: [Int] = []
            for (ending, compression) in [
                ("png", "0"), ("png", "9"), ("tif", #""none""#), ("tif", #""lzw""#), ("tif", #""deflate""#),
            ] {
                sizes.append(try size(ending, #", "compression": \#(compression)"#))
                #expect(try studio.pixels("o.\(ending)").difference(from: before) == 0)
            }
            #expect(sizes[0] > 160 * 96 * 3 && sizes[1] < sizes[0])
            #expect(sizes[2] > 160 * 96 * 3 && Set(sizes[2...]).count == 3)
        }

        @Test func anOptionThatDoesNotFitTheOutputIsRefused() throws {
            for (output, more, field) in [
                ("o.png", #", "quality": 5"#, "/quality"), ("./", #", "quality": 5"#, "/quality"),
                ("o.jpg", #", "compression": 5"#, "/compression"), ("o.tif", #", "lossless": true"#, "/lossless"),
            ] {
                let names = try studio.folder.list()
                let error = studio.refusal(.convert, #"{"input": "busy.tif", "output": "\#(output)"\#(more)}"#)
                #expect(error?.type == "InvalidPayload")
                #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
                #expect(try studio.folder.list() == names)
            }
        }
    }
#endif
