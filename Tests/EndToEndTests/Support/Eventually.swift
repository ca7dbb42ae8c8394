import Foundation
import Platform

/// Waits for something that another process brings about: looks, and looks again a few milliseconds later, up to a limit.
enum Eventually {
    static func value<Value>(within seconds: Double, _ look: () throws -> Value?) throws -> Value {
        let deadline = MonotonicTime.now() + TimeSpan(seconds: seconds)
        while true {
            if let value = try look() { return value }
            guard MonotonicTime.now() < deadline else { throw TestFailure("nothing came within \(seconds) s") }
            usleep(5000)
        }
    }

    static func isTrue(within seconds: Double, _ look: () throws -> Bool) throws {
        _ = try value(within: seconds) { try look() ? true : nil }
    }
}
