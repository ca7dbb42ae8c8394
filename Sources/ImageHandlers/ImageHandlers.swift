#if Images
    import JSONBytes
    package import WorkerKit

    /// `image.blur`, `image.thumbnail` and `image.convert`.
    package enum ImageHandlers {
        package static func all(
            roots: FileRoots, maximumPixels: Int = ImageWork.maximumPixels
        ) -> [Handler] {
            let work = ImageWork(roots: roots, maximumPixels: maximumPixels)
            return ImageOperation.allCases.map { operation in
                Handler.unsafeBytes("image.\(operation.rawValue)") { payload, result, _ in
                    result.append(contentsOf: try work.run(operation, JSON(trusted: Array(payload))).bytes)
                }
            }
        }
    }
#endif
