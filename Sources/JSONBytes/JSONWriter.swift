import CJSONScan

/// Builds compact JSON text. Commas come by themselves; that names and values alternate in objects and brackets match is the caller's
/// affair. Values that follow each other outside of any bracket get commas too, which makes comma-separated values.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Whether a value stands before the place where the next one goes.
    private var needsComma = false

    package init(reservingCapacity capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// - Parameter name: holds nothing that would have to be escaped.
    package mutating func key(_ name: StaticString) {
        let needsComma = needsComma
        // In one piece, because there are many names.
        bytes.append(addingCapacity: name.utf8CodeUnitCount + 4) { room in
            if needsComma { room.append(UInt8(ascii: ",")) }
            room.append(UInt8(ascii: "\""))
            for index in 0..<name.utf8CodeUnitCount { room.append(name.utf8Start[index]) }
            room.append(UInt8(ascii: "\""))
            room.append(UInt8(ascii: ":"))
        }
        self.needsComma = false
    }

    /// For names that are not known when the program is written.
    package mutating func key(named name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func value(_ string: String) {
        separate()
        JSONWriter.append(string, to: &bytes)
    }

    /// A string whose characters `append` adds; there must be none among them that would have to be escaped.
    package mutating func plain(_ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func value(_ number: Int) {
        separate()
        JSONWriter.append(number, to: &bytes)
    }

    package mutating func value(_ number: UInt64) {
        separate()
        JSONWriter.append(to: &bytes) { jsonscan_write_unsigned(number, $0) }
    }

    /// Infinities and NaN, which JSON does not know, become null.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        JSONWriter.append(number, to: &bytes)
    }

    package mutating func value(_ flag: Bool) {
        separate()
        bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
    }

    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    package mutating func raw(_ json: JSON) { raw(bytes: json.bytes) }

    package mutating func value(orNull string: String?) {
        if let string { value(string) } else { null() }
    }

    package mutating func value(orNull number: Int?) {
        if let number { value(number) } else { null() }
    }

    package mutating func value(orNull number: Double?) {
        if let number { value(number) } else { null() }
    }

    /// Valid JSON text: one value, or several with commas between them.
    package mutating func raw(bytes text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
    }

    package mutating func raw(bytes text: ArraySlice<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
    }

    package mutating func raw(bytes text: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: text)
    }

    package consuming func finish() -> JSON { JSON(trusted: bytes) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }
}

// Single values without a writer, for hot loops.
extension JSONWriter {
    package static func append(_ number: Int, to bytes: inout [UInt8]) {
        append(to: &bytes) { jsonscan_write_integer(Int64(number), $0) }
    }

    /// Requires a finite number. Reads back as the same one.
    package static func append(_ number: Double, to bytes: inout [UInt8]) {
        precondition(number.isFinite, "JSON has no infinities and no NaN")
        append(to: &bytes) { jsonscan_write_double(number, $0) }
    }

    /// With quotation marks around it and escapes in it.
    package static func append(_ string: String, to bytes: inout [UInt8]) {
        var string = string
        bytes.append(UInt8(ascii: "\""))
        string.withUTF8 { characters in
            var rest = UnsafeRawBufferPointer(characters)
            while true {
                let plain = jsonscan_plain_prefix(Text(rest).start, rest.count)
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<plain]))
                if plain == rest.count { return }
                appendEscape(of: rest[plain], to: &bytes)
                rest = UnsafeRawBufferPointer(rebasing: rest[(plain + 1)...])
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(of character: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(character)
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: character < 0x10 ? "u000".utf8 : "u001".utf8)
            let digit = character & 0xF
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// Room for any number, filled by a C function that returns how much it used.
    private static func append(to bytes: inout [UInt8], _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        bytes.append(addingCapacity: 32) { room in
            room.withUnsafeMutableBufferPointer { buffer, count in
                if let start = buffer.baseAddress { count = write(start) }
            }
        }
    }
}
