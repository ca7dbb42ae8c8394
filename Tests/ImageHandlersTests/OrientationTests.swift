#if Images
    import Testing

    @testable import ImageHandlers

    @Suite struct OrientationTests {
        /// Which corner of the stored rows each corner of the upright picture comes from: top left, top right, bottom left.
        private static let corners: [Int: [Int]] = [
            1: [0, 1, 2], 2: [1, 0, 3], 3: [3, 2, 1], 4: [2, 3, 0], 5: [0, 2, 1], 6: [2, 0, 3], 7: [3, 1, 2],
            8: [1, 3, 0],
        ]
        /// Of the corners of the stored rows: top left, top right, bottom left, bottom right.
        private static let colours: [[UInt8]] = [[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0]]

        /// 96 by 64, with another colour in each quarter.
        private func quarters(_ studio: Studio) throws -> [UInt8] {
            let bytes = TIFF.bytes(width: 96, height: 64) { x, y in Self.colours[(x < 48 ? 0 : 1) + (y < 32 ? 0 : 2)] }
            try studio.folder.write(bytes, to: "quarters.tif")
            try studio.run(.convert, #"{"input": "quarters.tif", "output": "quarters.jpg", "quality": 95}"#)
            return try studio.folder.read("quarters.jpg")
        }

        @Test(arguments: 1...8, ImageOperation.allCases)
        func picturesComeOutUpright(_ orientation: Int, _ operation: ImageOperation) throws {
            let studio = try Studio()
            let jpeg = Fixtures.withExif(try quarters(studio), orientation: orientation)
            try studio.folder.write(jpeg, to: "turned.jpg")
            for ending in ["jpg", "png", "webp", "tif"] {
                let outputs = try studio.run(
                    operation, #"{"input": "turned.jpg", "output": "o.\#(ending)"\#(Studio.more(operation, size: 96))}"#
                )
                #expect(outputs[0].size == (orientation < 5 ? [96, 64] : [64, 96]))
                let upright = try studio.pixels("o.\(ending)")
                // No tag that turns it once more.
                #expect(upright.orientation == 1, "\(ending)")
                #expect([upright.width, upright.height] == outputs[0].size)
                let places = [(8, 8), (upright.width - 8, 8), (8, upright.height - 8)]
                for (place, corner) in zip(places, try #require(Self.corners[orientation])) {
                    #expect(
                        zip(upright.at(x: place.0, y: place.1), Self.colours[corner]).allSatisfy {
                            abs(Int($0) - Int($1)) < 20
                        }, "\(ending), corner \(corner)")
                }
            }
        }

        /// The small copy that cameras put into the file shows what was there before.
        @Test(arguments: ImageOperation.allCases)
        func theSmallCopyInsideGoesAway(_ operation: ImageOperation) throws {
            let studio = try Studio()
            let jpeg = try quarters(studio)
            let iptc = Array("Photoshop 3.0\0old".utf8)
            let xmp = Array("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".utf8)
            var full = Fixtures.inserting(iptc, as: 0xED, into: jpeg)
            full = Fixtures.inserting(xmp, as: 0xE1, into: full)
            try studio.folder.write(Fixtures.withExif(full, orientation: 6, thumbnail: jpeg), to: "camera.jpg")
            let before = try studio.pixels("camera.jpg")
            #expect(before.attachments == ["exif-data", "jpeg-thumbnail-data", "iptc-data", "xmp-data"])
            try studio.run(operation, #"{"input": "camera.jpg", "output": "o.jpg"\#(Studio.more(operation))}"#)
            let after = try studio.pixels("o.jpg")
            #expect(after.attachments == (operation == .blur ? ["exif-data"] : ["exif-data", "iptc-data", "xmp-data"]))
        }

        /// EXIF has the place where a picture was taken.
        @Test(arguments: ["jpg", "png", "webp", "tif"], ImageOperation.allCases)
        func metadataIsLeftOutOnRequest(_ ending: String, _ operation: ImageOperation) throws {
            let studio = try Studio()
            let xmp = Array("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".utf8)
            let full = Fixtures.inserting(xmp, as: 0xE1, into: try quarters(studio))
            try studio.folder.write(Fixtures.withExif(full, orientation: 6, model: "Oldsmobile"), to: "camera.jpg")
            func holdsModel(_ more: String) throws -> Bool {
                try studio.run(
                    operation, #"{"input": "camera.jpg", "output": "o.\#(ending)"\#(more)\#(Studio.more(operation))}"#)
                let bytes = try studio.folder.read("o.\(ending)")
                let model = Array("Oldsmobile".utf8)
                return bytes.indices.contains { bytes[$0...].starts(with: model) }
            }
            // libvips does not put EXIF into TIFF.
            #expect(try holdsModel("") == (ending != "tif"))
            #expect(try !holdsModel(#", "strip": true"#))
            #expect(try !studio.pixels("o.\(ending)").attachments.contains("xmp-data"))
        }
    }
#endif
