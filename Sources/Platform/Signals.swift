import CSystem
import Glibc

/// The signals that ask the service to do something, delivered as values to one thread instead of to handlers.
package struct Signals: Sendable {
    private let numbers: [Int32]

    /// Blocks `numbers` in the calling thread and in every thread it starts afterwards: call it before any of them exists.
    package init(blocking numbers: [Int32]) {
        self.numbers = numbers
        var set = Signals.set(of: numbers)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Sleeps until one of the signals arrives and returns its number.
    package func next() -> Int32 {
        var set = Signals.set(of: numbers)
        var number: Int32 = 0
        // Fails only for an invalid set; then there is nothing to wait for.
        while sigwait(&set, &number) != 0 {}
        return number
    }

    /// A peer that hangs up and a file that may not grow must be errors of the write, not the end of the process.
    package static func ignoreFailedWrites() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    private static func set(of numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }
}
