import JSONBytes
import WorkerKit

/// What is done to a picture.
enum ImageChange: Equatable {
    /// - radius: standard deviation in pixels, as Pillow's GaussianBlur has it.
    case blur(radius: Double)
    /// Made smaller, where it is larger, to fit the box.
    case thumbnail(width: Int, height: Int)
    /// Written in another format.
    case convert
}

/// The handlers by the last part of their names.
package enum ImageOperation: String, CaseIterable, Sendable {
    case blur, thumbnail, convert
}

/// A payload that was checked.
struct ImageRequest: Equatable {
    static let largestRadius = 250.0
    static let largestSize = 100_000
    static let mostInputs = 1000

    var inputs: [String] = []
    /// A file, or a folder if it ends in a slash.
    var output = ""
    /// nil: as the output's extension says, or the input.
    var format: ImageFormat?
    var change = ImageChange.convert
    var encoding = EncodingOptions()

    init(parsing payload: JSONValue, for operation: ImageOperation) throws(JobError) {
        guard payload.kind == .object else { throw JobError(payload: "", "is not an object") }
        var seen: Set<String> = []
        for (key, value) in payload.members() {
            guard seen.insert(key).inserted else { throw JobError(payload: key, "is there twice") }
            switch (key, operation) {
            case ("input", _): inputs = try Self.inputs(value)
            case ("output", _): output = try Self.path(value, at: key)
            case ("format", _): format = try Self.format(value)
            case ("radius", .blur): change = .blur(radius: try Self.radius(value))
            case ("size", .thumbnail): change = try Self.box(value)
            default:
                guard try encoding.take(key, value) else {
                    throw JobError(payload: key, "is not a field of image.\(operation.rawValue)")
                }
            }
        }
        for field in ["input", "output"] where !seen.contains(field) { throw JobError(payload: field, "is missing") }
        switch operation {
        case .blur where !seen.contains("radius"): change = .blur(radius: 2)
        case .thumbnail where !seen.contains("size"): throw JobError(payload: "size", "is missing")
        default: break
        }
        // Otherwise the format shows when the input is opened.
        if let format { _ = try encoding.encoding(for: format) }
        if inputs.count > 1 && !output.hasSuffix("/") {
            throw JobError(payload: "output", "has to be a folder, ending in a slash, for more than one input")
        }
    }

    private static func inputs(_ value: JSONValue) throws(JobError) -> [String] {
        guard value.kind == .array else { return [try path(value, at: "input")] }
        var paths: [String] = []
        for (index, element) in value.elements().enumerated() {
            guard index < mostInputs else { throw JobError(payload: "input", "has more than \(mostInputs) elements") }
            paths.append(try path(element, at: "input/\(index)"))
        }
        guard !paths.isEmpty else { throw JobError(payload: "input", "is empty") }
        return paths
    }

    private static func path(_ value: JSONValue, at field: String) throws(JobError) -> String {
        guard let path = value.string() else { throw JobError(payload: field, "is not a string") }
        guard !path.isEmpty else { throw JobError(payload: field, "is empty") }
        guard !path.utf8.contains(0) else { throw JobError(payload: field, "contains a NUL") }
        return path
    }

    private static func format(_ value: JSONValue) throws(JobError) -> ImageFormat? {
        if value.kind == .null { return nil }
        guard let name = value.string(), let format = ImageFormat(rawValue: name) else {
            throw JobError(payload: "format", "is not \(ImageFormat.list)")
        }
        return format
    }

    private static func radius(_ value: JSONValue) throws(JobError) -> Double {
        guard let radius = value.double(), radius > 0, radius <= largestRadius else {
            throw JobError(payload: "radius", "is not a number above 0 and up to \(Int(largestRadius))")
        }
        return radius
    }

    private static func box(_ value: JSONValue) throws(JobError) -> ImageChange {
        guard value.kind == .object else {
            let edge = try edge(value, at: "size")
            return .thumbnail(width: edge, height: edge)
        }
        var width: Int?
        var height: Int?
        for (key, value) in value.members() {
            switch key {
            case "width": width = try edge(value, at: "size/width")
            case "height": height = try edge(value, at: "size/height")
            default: throw JobError(payload: "size/\(key)", "is not a field of size")
            }
        }
        guard width != nil || height != nil else { throw JobError(payload: "size", "has neither width nor height") }
        return .thumbnail(width: width ?? largestSize, height: height ?? largestSize)
    }

    private static func edge(_ value: JSONValue, at field: String) throws(JobError) -> Int {
        guard let edge = value.integer(), (1...largestSize).contains(edge) else {
            throw JobError(payload: field, "is not a whole number of pixels from 1 to \(largestSize)")
        }
        return edge
    }
}

extension JobError {
    /// - Parameter field: a JSON Pointer without the slash in front; empty for the whole payload.
    init(payload field: String, _ complaint: String) {
        self.init("the payload\(field.isEmpty ? "" : "'s /\(field)") \(complaint)", type: "InvalidPayload")
    }
}
