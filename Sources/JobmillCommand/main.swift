import Jobmill
import WorkerKit

#if Images
    import ImageHandlers

    Jobmill.main(handlers: ImageHandlers.all)
#else
    Jobmill.main(handlers: [])
#endif
