/// Pictures for tests: TIFF without compression, which takes no library to write.
enum TIFF {
    /// - Parameters:
    ///   - orientation: as EXIF numbers it, 1 is upright.
    ///   - hasAlpha: whether there are four bytes for each pixel instead of three.
    ///   - claimed: the size that the header claims, if it is not the real one.
    static func bytes(
        width: Int, height: Int, orientation: Int = 1, hasAlpha: Bool = false,
        claimed: (width: Int, height: Int)? = nil,
        pixel: (_ x: Int, _ y: Int) -> [UInt8]
    ) -> [UInt8] {
        let samples = hasAlpha ? 4 : 3
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += pixel(x, y) } }
        var entries: [(tag: Int, type: Int, count: Int, value: Int)] = [
            (256, 4, 1, claimed?.width ?? width), (257, 4, 1, claimed?.height ?? height), (258, 3, samples, 0),
            (259, 3, 1, 1),
            (262, 3, 1, 2), (273, 4, 1, 0), (274, 3, 1, orientation), (277, 3, 1, samples),
            (278, 4, 1, claimed?.height ?? height), (279, 4, 1, pixels.count), (284, 3, 1, 1),
        ]
        if hasAlpha { entries.append((338, 3, 1, 2)) }
        let bitsOffset = 8 + 2 + entries.count * 12 + 4
        let pixelOffset = bitsOffset + samples * 2
        var bytes: [UInt8] = [0x49, 0x49, 42, 0] + little(8, 4) + little(entries.count, 2)
        for entry in entries {
            let value = entry.tag == 258 ? bitsOffset : entry.tag == 273 ? pixelOffset : entry.value
            bytes += little(entry.tag, 2) + little(entry.type, 2) + little(entry.count, 4) + little(value, 4)
        }
        bytes += little(0, 4)
        for _ in 0..<samples { bytes += little(8, 2) }
        return bytes + pixels
    }

    /// A picture of large squares, which blurring changes and compression hardly does.
    static func squares(width: Int, height: Int, orientation: Int = 1) -> [UInt8] {
        bytes(width: width, height: height, orientation: orientation) { x, y in
            (x / 16 + y / 16) % 2 == 0 ? [240, 30, 30] : [20, 60, 220]
        }
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
