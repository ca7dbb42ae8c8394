/// Amounts as people write them.
enum Measure {
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
        ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
        ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40), ("b", 1), ("", 1),
    ]
    private static let durations: [(unit: String, seconds: Double)] = [
        ("ms", 0.001), ("s", 1), ("min", 60), ("m", 60), ("h", 3600), ("d", 86_400), ("", 1),
    ]

    /// Bytes: a number, or a number with `KiB`, `MiB`, `GiB`, `TiB` (or `K`, `M`, `G`, `T`), `KB`, `MB`, `GB`, `TB`; nil if it is no such text or
    /// has a fraction of a byte.
    static func bytes(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let factor = sizes.first(where: { $0.unit == unit })?.bytes else {
            return nil
        }
        let bytes = number * Double(factor)
        return bytes == bytes.rounded() ? Int(exactly: bytes) : nil
    }

    /// Seconds: a number, or a number with `ms`, `s`, `m` or `min`, `h`, `d`.
    static func seconds(_ text: String) -> Double? {
        guard let (number, unit) = split(text), let factor = durations.first(where: { $0.unit == unit })?.seconds else {
            return nil
        }
        return number * factor
    }

    /// Whole numbers without a fraction.
    static func plain(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }

    private static func split(_ text: String) -> (Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
        guard let number = Double(digits), number.isFinite else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        return (number, unit.lowercased())
    }
}
