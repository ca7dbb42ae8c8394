import Jobmill
import WorkerKit

#if Images
    import ImageHandlers

    Jobmill.main(handlers: ImageHandlers.all(roots: .fromEnvironment(), limits: ImageLimits.fromEnvironment()))
#else
    Jobmill.main(handlers: [])
#endif
