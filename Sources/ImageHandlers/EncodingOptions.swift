import JSONBytes
import WorkerKit

/// How a picture is written to a file.
enum PictureEncoding: Equatable {
    /// - quality: 1 to 100.
    case jpeg(quality: Int)
    /// - compression: 0 (none) to 9 (slow and small), as zlib has it.
    case png(compression: Int)
    case webp(quality: Int)
    case losslessWebP
    case tiff(TIFFCompression)

    /// Whether the format has room for eight bits in a sample and no more.
    var isEightBit: Bool {
        switch self {
        case .jpeg, .webp, .losslessWebP: true
        case .png, .tiff: false
        }
    }

    var hasAlpha: Bool {
        if case .jpeg = self { false } else { true }
    }
}

/// None of them loses anything.
enum TIFFCompression: String, CaseIterable {
    case none, lzw, deflate
}

/// What a payload says about the encoding; what it does not say has a default in each format.
struct EncodingOptions: Equatable {
    enum Compression: Equatable {
        case level(Int)
        case scheme(TIFFCompression)
    }

    var quality: Int?
    var compression: Compression?
    var isLossless: Bool?
    /// Whether metadata and colour profile are left out.
    var strips = false

    /// Takes a member of the payload; false if the key is none of these.
    mutating func take(_ key: String, _ value: JSONValue) throws(JobError) -> Bool {
        switch key {
        case "quality":
            guard let quality = value.integer(), (1...100).contains(quality) else {
                throw JobError(payload: key, "is not a whole number from 1 to 100")
            }
            self.quality = quality
        case "compression": compression = try Self.compression(value)
        case "lossless": isLossless = try Self.flag(value, at: key)
        case "strip": strips = try Self.flag(value, at: key)
        default: return false
        }
        return true
    }

    /// - Throws: if there is an option that the format does not have.
    func encoding(for format: ImageFormat) throws(JobError) -> PictureEncoding {
        func refuse(_ field: String, if isThere: Bool, _ format: String) throws(JobError) {
            if isThere { throw JobError(payload: field, "is not an option of \(format)") }
        }
        if format != .webp { try refuse("lossless", if: isLossless != nil, format.rawValue) }
        switch format {
        case .jpeg:
            try refuse("compression", if: compression != nil, "jpeg")
            // The usual quality of encoders.
            return .jpeg(quality: quality ?? 75)
        case .webp:
            try refuse("compression", if: compression != nil, "webp")
            guard isLossless == true else { return .webp(quality: quality ?? 75) }
            try refuse("quality", if: quality != nil, "lossless webp")
            return .losslessWebP
        case .png:
            try refuse("quality", if: quality != nil, "png")
            switch compression {
            case .level(let level): return .png(compression: level)
            case nil: return .png(compression: 6)
            case .scheme: throw JobError(payload: "compression", "is not a whole number from 0 to 9, as png has it")
            }
        case .tiff:
            try refuse("quality", if: quality != nil, "tiff")
            switch compression {
            case .scheme(let scheme): return .tiff(scheme)
            case nil: return .tiff(.deflate)
            case .level: throw JobError(payload: "compression", "is not \(Self.schemes), as tiff has it")
            }
        }
    }

    private static let schemes = TIFFCompression.allCases.map(\.rawValue).joined(separator: ", ")

    private static func compression(_ value: JSONValue) throws(JobError) -> Compression {
        if let level = value.integer(), (0...9).contains(level) { return .level(level) }
        if let name = value.string(), let scheme = TIFFCompression(rawValue: name) { return .scheme(scheme) }
        throw JobError(
            payload: "compression", "is neither a whole number from 0 to 9, for png, nor one of \(schemes), for tiff")
    }

    private static func flag(_ value: JSONValue, at field: String) throws(JobError) -> Bool {
        guard let flag = value.boolean() else { throw JobError(payload: field, "is not true or false") }
        return flag
    }
}
