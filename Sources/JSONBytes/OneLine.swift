/// JSON text without line ends, for streams that have one value per line.
package enum OneLine {
    /// Replaces line ends by spaces. In valid JSON they can only be white space between tokens: within a string they have to be escaped.
    package static func join(_ bytes: inout [UInt8], from start: Int = 0) {
        var text = bytes.mutableSpan
        for index in start..<text.count where text[index] == 0x0A || text[index] == 0x0D { text[index] = 0x20 }
    }
}
