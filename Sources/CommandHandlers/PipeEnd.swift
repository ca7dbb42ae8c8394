import Platform

/// This process's end of a pipe to a command; closed with its last owner.
final class PipeEnd {
    private let descriptor: Descriptor
    var number: Int32 { descriptor.rawValue }

    /// Takes the number over.
    init(adopting number: Int32) { descriptor = Descriptor(adopting: number) }
}
