import CSystem
import Glibc
import Synchronization

/// A thread with a name that its component starts once and joins once.
package final class OwnedThread: Sendable {
    private let handle: Mutex<pthread_t?>

    /// - Parameter name: shown by `ps -L` and in `/proc`; the kernel keeps 15 bytes.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(name: name, body: body))
        let code = pthread_create(
            &thread, nil,
            { argument in
                // The retain of `passRetained` is balanced here, once: the argument is the box that was handed over.
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                csystem_name_thread(box.name)
                box.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError("pthread_create", code: code)
        }
        handle = Mutex(thread)
    }

    /// Waits for the end of the thread. A second call returns at once. Never call it from the thread itself.
    package func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
