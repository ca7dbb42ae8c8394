import JSONBytes

/// One element of a job's result.
struct ImageOutput {
    /// As the payload spells it.
    let input: String
    let output: String
    let format: ImageFormat
    let width: Int
    let height: Int
    /// Of the input; the output has one.
    let pages: Int
    let bytes: Int

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("input")
        writer.value(input)
        writer.key("output")
        writer.value(output)
        writer.key("format")
        writer.value(format.rawValue)
        writer.key("width")
        writer.value(width)
        writer.key("height")
        writer.value(height)
        writer.key("pages")
        writer.value(pages)
        writer.key("bytes")
        writer.value(bytes)
        writer.endObject()
    }
}
