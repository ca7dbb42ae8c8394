import Glibc
package import WorkerKit

/// What a picture may cost. A file of a few bytes can claim to hold a picture that fills all memory, so this is decided by the
/// header, before anything is decoded; no request can raise it.
package struct ImageLimits: Sendable {
    /// Bytes of the file.
    package var fileBytes = 512 << 20
    /// Width times height.
    package var pixels = 100_000_000
    /// Bytes of all samples of all pixels: enough for four 8-bit samples in each of `pixels`, unless it is set.
    package var decodedBytes = 400_000_000
    /// Pages of a TIFF file, frames of an animation. Only the first is used.
    package var pages = 1000

    package init() {}

    /// - Parameter pixels: width times height; the bytes of the decoded picture follow.
    package init(pixels: Int) {
        self.pixels = pixels
        decodedBytes = pixels * 4
    }

    /// The largest `pixels` that can be asked for; no format has larger pictures.
    private static let mostPixels = 10_000_000_000

    /// The limits that the service was started with: `JOBMILL_IMAGE_PIXELS`, or the usual ones.
    package static func fromEnvironment() -> Result<ImageLimits, JobError> {
        from(getenv("JOBMILL_IMAGE_PIXELS").map { String(cString: $0) })
    }

    static func from(_ setting: String?) -> Result<ImageLimits, JobError> {
        guard let setting else { return .success(ImageLimits()) }
        guard let pixels = Int(setting), (1...mostPixels).contains(pixels) else {
            return .failure(
                JobError(
                    "JOBMILL_IMAGE_PIXELS is \(setting), which is not a whole number from 1 to \(mostPixels)",
                    type: "InvalidConfiguration"))
        }
        return .success(ImageLimits(pixels: pixels))
    }
}
