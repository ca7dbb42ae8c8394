import CSystem
import Glibc

/// The signals that ask the service to do something, delivered as values to one thread instead of to handlers.
package struct Signals: Sendable {
    /// A signal that has arrived.
    package struct Arrival: Hashable, Sendable {
        package var number: Int32
        package var sender: Sender

        package init(_ number: Int32, from sender: Sender) {
            self.number = number
            self.sender = sender
        }
    }

    package enum Sender: Hashable, Sendable {
        /// By itself, and not because a process wanted it.
        case kernel
        /// 0: one that cannot be seen from here.
        case process(Int32)
    }

    private let numbers: [Int32]
    /// Those that whoever has started this process wanted to be ignored. They arrive all the same.
    package let ignored: Set<Int32>

    /// Blocks `numbers` in the calling thread and in every thread it starts afterwards: call it before any of them exists.
    package init(blocking numbers: [Int32]) {
        self.numbers = numbers
        ignored = Set(numbers.filter { csystem_is_ignored($0) != 0 })
        var set = Signals.set(of: numbers)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Sleeps until one of the signals arrives.
    package func next() -> Arrival {
        var set = Signals.set(of: numbers)
        var signal = csystem_signal()
        // Fails when another signal comes between, and for an invalid set; then there is nothing to wait for.
        while csystem_await_signal(&set, &signal) != 0 {}
        return Arrival(signal.number, from: signal.is_from_kernel != 0 ? .kernel : .process(signal.sender))
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
