/// What other programs put into files, made by hand.
enum Fixtures {
    /// Puts EXIF into a JPEG file: an orientation, a camera's name, and a small copy of the picture.
    static func withExif(
        _ jpeg: [UInt8], orientation: Int, model: String = "Camera", thumbnail: [UInt8] = []
    ) -> [UInt8] {
        func entry(_ tag: Int, _ type: Int, _ value: Int, count: Int = 1) -> [UInt8] {
            little(tag, 2) + little(type, 2) + little(count, 4) + little(value, 4)
        }
        let name = Array(model.utf8) + [0]
        let second = 8 + 2 + 24 + 4 + name.count
        var exif = Array("Exif\0\0II".utf8) + little(42, 2) + little(8, 4) + little(2, 2)
        exif += entry(0x0110, 2, second - name.count, count: name.count) + entry(0x0112, 3, orientation)
        exif += little(thumbnail.isEmpty ? 0 : second, 4) + name
        if !thumbnail.isEmpty {
            exif += little(3, 2) + entry(0x0103, 3, 6) + entry(0x0201, 4, second + 2 + 36 + 4)
            exif += entry(0x0202, 4, thumbnail.count) + little(0, 4) + thumbnail
        }
        return inserting(exif, as: 0xE1, into: jpeg)
    }

    /// Puts a segment after the start of a JPEG file.
    static func inserting(_ segment: [UInt8], as marker: UInt8, into jpeg: [UInt8]) -> [UInt8] {
        jpeg[..<2] + [0xFF, marker] + big(segment.count + 2, 2) + segment + jpeg[2...]
    }

    /// The first bytes of a PNG file that claims a size.
    static func pngHeader(width: Int, height: Int) -> [UInt8] {
        func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
            let named = Array(name.utf8) + content
            return big(content.count, 4) + named + big(Int(crc(named)), 4)
        }
        return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]
            + chunk("IHDR", big(width, 4) + big(height, 4) + [8, 6, 0, 0, 0])
            + chunk("IDAT", [0x78, 0x9C, 0xED, 0xC1, 1, 1, 0, 0])
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        return ~crc
    }

    /// An animated WebP file of still ones that are lossless, of the same size and without metadata.
    static func animation(_ stills: [[UInt8]], width: Int, height: Int) -> [UInt8] {
        func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
            Array(name.utf8) + little(content.count, 4) + content + (content.count % 2 == 0 ? [] : [0])
        }
        let size = little(width - 1, 3) + little(height - 1, 3)
        var body = Array("WEBP".utf8) + chunk("VP8X", [2, 0, 0, 0] + size) + chunk("ANIM", [0, 0, 0, 0, 0, 0])
        for still in stills {
            // The pixels are in the chunk after the header, which is 30 bytes long.
            let length = Int(still[34]) + Int(still[35]) << 8
            let pixels = Array(still[38..<(38 + length)])
            body += chunk("ANMF", little(0, 6) + size + little(100, 3) + [0] + chunk("VP8L", pixels))
        }
        return Array("RIFF".utf8) + little(body.count, 4) + body
    }

    /// An ICC profile for RGB whose red is sRGB's blue, and the other way round.
    static func swappedProfile() -> [UInt8] {
        func xyz(_ x: Double, _ y: Double, _ z: Double) -> [UInt8] {
            Array("XYZ \0\0\0\0".utf8) + [x, y, z].flatMap { big(Int($0 * 65536), 4) }
        }
        let text = Array("text\0\0\0\0swapped\0".utf8)
        let description =
            Array("desc\0\0\0\0".utf8) + big(8, 4) + Array("swapped\0".utf8) + Array(repeating: 0, count: 79)
        // A gamma of 2.2.
        let curve = Array("curv\0\0\0\0".utf8) + big(1, 4) + big(0x0233, 2) + [0, 0]
        let tags: [(String, [UInt8])] = [
            ("desc", description + [0]), ("cprt", text), ("wtpt", xyz(0.9642, 1, 0.8249)),
            ("rXYZ", xyz(0.1431, 0.0606, 0.7141)), ("gXYZ", xyz(0.3851, 0.7169, 0.0971)),
            ("bXYZ", xyz(0.4360, 0.2225, 0.0139)), ("rTRC", curve), ("gTRC", curve), ("bTRC", curve),
        ]
        var table = big(tags.count, 4)
        var content: [UInt8] = []
        let start = 128 + 4 + tags.count * 12
        for (name, value) in tags {
            table += Array(name.utf8) + big(start + content.count, 4) + big(value.count, 4)
            content += value + Array(repeating: 0, count: (4 - value.count % 4) % 4)
        }
        var header = big(start + content.count, 4) + Array("\0\0\0\0".utf8) + [2, 0x10, 0, 0]
        header += Array("mntrRGB XYZ ".utf8) + big(2024, 2) + big(1, 2) + big(1, 2) + big(0, 6)
        header +=
            Array("acsp".utf8) + Array(repeating: 0, count: 28) + [0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D]
        header += Array(repeating: 0, count: 128 - header.count)
        return header + table + content
    }
}
