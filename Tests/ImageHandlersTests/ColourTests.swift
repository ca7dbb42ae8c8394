#if Images
    import Testing

    @testable import ImageHandlers

    @Suite struct ColourTests {
        private let studio: Studio

        init() throws { studio = try Studio() }

        private func isNear(_ colour: [UInt8], _ expected: [Int], within limit: Int = 12) -> Bool {
            colour.count == expected.count && zip(colour, expected).allSatisfy { abs(Int($0) - $1) <= limit }
        }

        @Test(arguments: [8, 16], ImageOperation.allCases)
        func transparencyIsKeptOrBecomesWhite(_ bits: Int, _ operation: ImageOperation) throws {
            let bytes = TIFF.bytes(width: 64, height: 64, hasAlpha: true, bits: bits) { x, _ in
                let pixel: [UInt8] = x < 32 ? [200, 100, 50, 255] : [0, 255, 0, 0]
                return bits == 8 ? pixel : pixel.flatMap { [$0, $0] }
            }
            try studio.folder.write(bytes, to: "alpha.tif")
            for ending in ["png", "webp", "tif", "jpg"] {
                try studio.run(
                    operation, #"{"input": "alpha.tif", "output": "o.\#(ending)"\#(Studio.more(operation))}"#)
                let pixels = try studio.pixels("o.\(ending)").eightBit()
                if ending == "jpg" {
                    #expect(isNear(pixels.at(x: 8, y: 32), [200, 100, 50]), "\(pixels.at(x: 8, y: 32))")
                    #expect(isNear(pixels.at(x: 56, y: 32), [255, 255, 255]), "\(pixels.at(x: 56, y: 32))")
                } else {
                    #expect(isNear(pixels.at(x: 8, y: 32), [200, 100, 50, 255]), "\(ending)")
                    #expect(pixels.at(x: 56, y: 32).last == 0, "\(ending)")
                }
            }
        }

        @Test func sixteenBitsAndGreyAreKeptWhereThereIsRoom() throws {
            let grey = TIFF.bytes(width: 32, height: 32, bits: 16, photometric: 1) { _, _ in [0x34, 0x80] }
            try studio.folder.write(grey, to: "grey.tif")
            func bytesPerPixel(_ operation: ImageOperation, _ ending: String) throws -> Int {
                try studio.run(
                    operation, #"{"input": "grey.tif", "output": "o.\#(ending)"\#(Studio.more(operation))}"#)
                let pixels = try studio.pixels("o.\(ending)")
                #expect(isNear(Array(pixels.eightBit().at(x: 9, y: 9).prefix(1)), [0x80]), "\(ending)")
                return pixels.bytesPerPixel
            }
            for operation in [ImageOperation.blur, .convert] {
                #expect(try bytesPerPixel(operation, "png") == 2)
                #expect(try bytesPerPixel(operation, "tif") == 2)
                #expect(try bytesPerPixel(operation, "jpg") == 1)
            }
            #expect(try bytesPerPixel(.thumbnail, "png") == 1)
        }

        @Test(arguments: ImageOperation.allCases)
        func printColoursBecomeScreenColours(_ operation: ImageOperation) throws {
            // Full yellow, no black.
            let bytes = TIFF.bytes(width: 64, height: 64, photometric: 5) { _, _ in [0, 0, 255, 0] }
            try studio.folder.write(bytes, to: "cmyk.tif")
            for ending in ["jpg", "png", "webp", "tif"] {
                try studio.run(
                    operation, #"{"input": "cmyk.tif", "output": "o.\#(ending)"\#(Studio.more(operation))}"#)
                let pixels = try studio.pixels("o.\(ending)")
                let colour = pixels.at(x: 9, y: 9)
                #expect(
                    colour.count == 3 && colour[0] > 230 && colour[1] > 200 && colour[2] < 60, "\(ending) \(colour)")
                #expect(!pixels.attachments.contains("icc-profile-data"))
            }
        }

        @Test(arguments: ["jpg", "png", "webp", "tif"])
        func aProfileIsKeptOrApplied(_ ending: String) throws {
            let bytes = TIFF.bytes(width: 64, height: 64, profile: Fixtures.swappedProfile()) { _, _ in [240, 20, 20] }
            try studio.folder.write(bytes, to: "swapped.tif")
            func make(_ operation: ImageOperation, _ more: String = "") throws -> Pixels {
                try studio.run(
                    operation, #"{"input": "swapped.tif", "output": "o.\#(ending)"\#(more)\#(Studio.more(operation))}"#)
                return try studio.pixels("o.\(ending)")
            }
            for operation in [ImageOperation.convert, .blur] {
                let kept = try make(operation)
                #expect(isNear(kept.at(x: 9, y: 9), [240, 20, 20]))
                #expect(kept.attachments.contains("icc-profile-data"))
            }
            // It is blue in truth.
            for made in [try make(.thumbnail), try make(.convert, #", "strip": true"#)] {
                let colour = made.at(x: 9, y: 9)
                #expect(colour[0] < 60 && colour[2] > 220, "\(colour)")
                #expect(!made.attachments.contains("icc-profile-data"))
            }
        }

        @Test func aProfileThatIsBrokenCountsAsNone() throws {
            for (name, photometric) in [("rgb", 2), ("grey", 1)] {
                let profile = name == "rgb" ? Array("this is no profile, not at all".utf8) : Fixtures.swappedProfile()
                let bytes = TIFF.bytes(width: 32, height: 32, photometric: photometric, profile: profile) { _, _ in
                    photometric == 1 ? [200] : [200, 100, 50]
                }
                try studio.folder.write(bytes, to: "broken.tif")
                try studio.run(.thumbnail, #"{"input": "broken.tif", "output": "o.png", "size": 16}"#)
                let pixels = try studio.pixels("o.png")
                #expect(isNear(pixels.at(x: 9, y: 9), photometric == 1 ? [200] : [200, 100, 50]))
                #expect(!pixels.attachments.contains("icc-profile-data"))
            }
        }
    }
#endif
