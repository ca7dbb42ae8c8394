/// Pictures for tests: TIFF without compression, which takes no library to write.
enum TIFF {
    /// - Parameters:
    ///   - orientation: as EXIF numbers it, 1 is upright.
    ///   - hasAlpha: whether the last sample of each pixel says how opaque it is.
    ///   - bits: of each sample, 8 or 16.
    ///   - photometric: 1 grey, 2 RGB, 5 CMYK.
    ///   - claimed: the size that the header claims, if it is not the real one.
    ///   - pages: how many times the picture is there.
    ///   - profile: an ICC profile.
    ///   - pixel: the bytes of its samples, little-endian.
    static func bytes(
        width: Int, height: Int, orientation: Int = 1, hasAlpha: Bool = false, bits: Int = 8, photometric: Int = 2,
        claimed: (width: Int, height: Int)? = nil, pages: Int = 1, profile: [UInt8] = [],
        pixel: (_ x: Int, _ y: Int) -> [UInt8]
    ) -> [UInt8] {
        let samples = [1: 1, 2: 3, 5: 4][photometric, default: 3] + (hasAlpha ? 1 : 0)
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += pixel(x, y) } }
        // Profile, bits and pixels come before the directories.
        let bitsOffset = 8 + profile.count + profile.count % 2
        let pixelOffset = bitsOffset + max(samples * 2, 4)
        var entries: [(tag: Int, type: Int, count: Int, value: Int)] = [
            (256, 4, 1, claimed?.width ?? width), (257, 4, 1, claimed?.height ?? height),
            (258, 3, samples, samples == 1 ? bits : bitsOffset), (259, 3, 1, 1),
            (262, 3, 1, photometric), (273, 4, 1, pixelOffset), (274, 3, 1, orientation), (277, 3, 1, samples),
            (278, 4, 1, claimed?.height ?? height), (279, 4, 1, pixels.count), (284, 3, 1, 1),
        ]
        if hasAlpha { entries.append((338, 3, 1, 2)) }
        if !profile.isEmpty { entries.append((34675, 7, profile.count, 8)) }
        let first = (pixelOffset + pixels.count + 1) / 2 * 2
        var bytes: [UInt8] = [0x49, 0x49, 42, 0] + little(first, 4) + profile
        bytes += Array(repeating: 0, count: bitsOffset - bytes.count)
        for _ in 0..<samples { bytes += little(bits, 2) }
        bytes += Array(repeating: 0, count: pixelOffset - bytes.count) + pixels
        bytes += Array(repeating: 0, count: first - bytes.count)
        for page in 1...pages {
            bytes += little(entries.count, 2)
            for entry in entries {
                bytes += little(entry.tag, 2) + little(entry.type, 2) + little(entry.count, 4) + little(entry.value, 4)
            }
            bytes += little(page == pages ? 0 : bytes.count + 4, 4)
        }
        return bytes
    }

    /// A picture of large squares, which blurring changes and compression hardly does.
    static func squares(width: Int, height: Int, orientation: Int = 1) -> [UInt8] {
        bytes(width: width, height: height, orientation: orientation) { x, y in
            (x / 16 + y / 16) % 2 == 0 ? [240, 30, 30] : [20, 60, 220]
        }
    }
}

func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }
