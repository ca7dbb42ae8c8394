#if Images
    import JSONBytes
    package import WorkerKit

    /// `image.blur`, `image.thumbnail` and `image.convert`.
    package enum ImageHandlers {
        /// - Parameter limits: where there are none, each job fails with the reason.
        package static func all(
            roots: FileRoots, limits: Result<ImageLimits, JobError> = .success(ImageLimits())
        ) -> [Handler] {
            let work = limits.map { ImageWork(roots: roots, limits: $0) }
            return ImageOperation.allCases.map { operation in
                Handler.unsafeBytes("image.\(operation.rawValue)") { payload, result, _ in
                    result.append(contentsOf: try work.get().run(operation, JSON(trusted: Array(payload))).bytes)
                }
            }
        }
    }
#endif
