/// The formats that are read and written.
package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp, tiff

    /// By a file name's extension, in upper or lower case.
    init?(extension name: String) {
        switch name.lowercased() {
        case "jpg", "jpeg", "jpe": self = .jpeg
        case "png": self = .png
        case "webp": self = .webp
        case "tif", "tiff": self = .tiff
        default: return nil
        }
    }

    /// By the class of libvips' loader, which looks at the content.
    init?(loader: String) {
        switch loader {
        case "VipsForeignLoadJpegSource": self = .jpeg
        case "VipsForeignLoadPngSource": self = .png
        case "VipsForeignLoadWebpSource": self = .webp
        case "VipsForeignLoadTiffSource": self = .tiff
        default: return nil
        }
    }

    /// What a new file name ends with.
    var fileExtension: String { self == .jpeg ? "jpg" : rawValue }

    /// For sentences.
    static let list = "jpeg, png, webp or tiff"
}
