import JSONBytes
import Testing

@Suite struct JSONScalarTests {
    private func read<Value>(_ text: String, _ scalar: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        // A copy of exactly this size: the address sanitizer sees each byte too many.
        Array(text.utf8).withUnsafeBytes(scalar)
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("123456789012345678", 123_456_789_012_345_678),
        ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("3.0", 3), ("-3.000", -3), ("1e3", 1000),
        ("1E+3", 1000), ("1.5e1", 15), ("1500e-2", 15), ("-0.0e5", 0), ("0e999", 0), ("0.00012e5", 12),
        ("9007199254740993.0", 9_007_199_254_740_993), ("9223372036854775807.0", Int.max),
        ("-922337203685477580.8e1", Int.min),
        ("100000000000000000000e-2", 1_000_000_000_000_000_000), ("10203000e0", 10_203_000),
    ])
    func readsIntegers(_ text: String, _ number: Int) { #expect(read(text, JSONScalar.integer) == number) }

    @Test(arguments: [
        "", "-", "1.5", "1e-1", "0.1", "9223372036854775808", "-9223372036854775809", "1e19", "1e99999999999999999999",
        "1e-99999999999",
        "99999999999999999999", "9223372036854775807.5", "null", "true", "\"1\"", "[1]", "{}", "1x", "1e", "1e+", ".",
        "1.2.3", "e5",
    ])
    func refusesOtherIntegers(_ text: String) { #expect(read(text, JSONScalar.integer) == nil) }

    @Test(arguments: [
        ("0", 0.0), ("1", 1.0), ("-2.5", -2.5), ("1e308", 1e308), ("1e-999", 0.0),
        ("4.9406564584124654e-324", Double.leastNonzeroMagnitude),
        ("1.7976931348623157e308", Double.greatestFiniteMagnitude), ("0.1", 0.1),
        ("123456789012345678901234567890", 1.2345678901234568e29),
    ])
    func readsDoubles(_ text: String, _ number: Double) { #expect(read(text, JSONScalar.double) == number) }

    @Test(arguments: [
        "", "-", "inf", "nan", "-inf", "infinity", "1x", "1e999", "null", "\"1\"", "[", "+1", "-.5", ".5",
    ])
    func refusesOtherDoubles(_ text: String) { #expect(read(text, JSONScalar.double) == nil) }

    @Test func readsBooleans() {
        #expect(read("true", JSONScalar.boolean) == true)
        #expect(read("false", JSONScalar.boolean) == false)
        for text in ["", "null", "1", "\"true\""] { #expect(read(text, JSONScalar.boolean) == nil) }
    }

    @Test(arguments: [
        ("\"\"", ""), ("\"abc\"", "abc"), ("\"é😀\"", "é😀"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""x\uD83D\uDE00y""#, "x😀y"), (#""a\u0000b""#, "a\0b"),
        ("\"0123456789abcdef0123456789abcdef\\n\"", "0123456789abcdef0123456789abcdef\n"),
    ])
    func readsStrings(_ text: String, _ string: String) { #expect(read(text, JSONScalar.string) == string) }

    @Test(arguments: ["", "\"", "1", "null", "[]"])
    func refusesOtherStrings(_ text: String) { #expect(read(text, JSONScalar.string) == nil) }

    /// Nothing but validated text is promised to be read right, but everything must be read safely.
    @Test func survivesAnything() {
        var random = SeededGenerator(seed: 11)
        let alphabet = Array("\"\\u0dD8e.-+1{}[],: \n\u{7F}é".utf8)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            text.withUnsafeBytes { bytes in
                _ = JSONScalar.integer(bytes)
                _ = JSONScalar.double(bytes)
                _ = JSONScalar.boolean(bytes)
                _ = JSONScalar.string(bytes)
            }
        }
    }

    /// Every length of digits, and every byte that could pass for one.
    @Test func readsDigitsOfEachLength() {
        for length in 1...19 {
            let digits = String("9182736450918273645".prefix(length))
            #expect(read(digits, JSONScalar.integer) == Int(digits))
            #expect(read("-" + digits, JSONScalar.integer) == Int("-" + digits))
            for position in 0..<length {
                for byte in UInt8.min...UInt8.max where !(0x30...0x39).contains(byte) {
                    // Those may stand in a number: a sign in front, a point, an exponent.
                    if [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte) { continue }
                    var text = Array(digits.utf8)
                    text[position] = byte
                    let number = text.withUnsafeBytes(JSONScalar.integer)
                    if number != nil { Issue.record("\(text) was read as \(number ?? 0)") }
                }
            }
        }
    }
}
