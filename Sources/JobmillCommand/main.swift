import Jobmill
import WorkerKit

#if Images
    import ImageHandlers

    Jobmill.main(handlers: ImageHandlers.all(roots: .fromEnvironment()))
#else
    Jobmill.main(handlers: [])
#endif
