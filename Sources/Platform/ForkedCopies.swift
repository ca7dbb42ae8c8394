import CSystem

/// Copies that a process makes of itself with fork, and that go on as if they were it.
package enum ForkedCopies {
    /// From here on copies are known, and have `channel` closed. To be called once, in a process that starts no other kind.
    package static func know(channel: Int32) throws(SystemError) {
        let code = csystem_know_copies(channel)
        guard code == 0 else { throw SystemError("pthread_atfork", code: code) }
    }

    /// Whether this process is a copy of the one that called `know`.
    package static var isCopy: Bool { csystem_is_copy() != 0 }
}
