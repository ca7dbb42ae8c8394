/// Why a command cannot be registered.
package struct CommandError: Error, Hashable, CustomStringConvertible {
    /// One sentence for whoever wrote the command, without a full stop.
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
