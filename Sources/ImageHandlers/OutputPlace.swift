import WorkerKit

/// Where one picture goes, and in which format.
struct OutputPlace: Equatable {
    let folder: String
    let name: String
    let format: ImageFormat
    /// Folder and name as the payload spells them.
    let path: String

    init(_ request: ImageRequest, input: String, inputFormat: ImageFormat) throws(JobError) {
        if request.output.hasSuffix("/") {
            format = request.format ?? inputFormat
            folder = request.output
            name = Self.name(for: FileRoots.split(input).name, in: format)
            path = request.output + name
        } else {
            (folder, name) = FileRoots.split(request.output)
            path = request.output
            let ending = Self.fileExtension(of: name)
            if let named = request.format ?? ImageFormat(extension: ending) {
                format = named
            } else if ending.isEmpty {
                format = inputFormat
            } else {
                throw JobError("the format .\(ending) is not \(ImageFormat.list)", type: "UnsupportedFormat")
            }
        }
        guard !name.isEmpty, name != ".", name != ".." else {
            throw JobError("\(path) is not the name of a file", type: "InvalidPayload")
        }
    }

    /// The input's name, with another extension where it does not fit the format.
    private static func name(for input: String, in format: ImageFormat) -> String {
        let ending = fileExtension(of: input)
        if ImageFormat(extension: ending) == format { return input }
        let stem = ending.isEmpty ? input : String(input.dropLast(ending.count + 1))
        return "\(stem).\(format.fileExtension)"
    }

    /// Without the dot; empty if there is none.
    private static func fileExtension(of name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }
}
