/// Job numbers in pieces of equal size. The tables of blocks say where there are batches of a handler or of a queue,
/// unfinished batches of a queue and a priority, and cancelled ones: a walk goes from block to block and looks at the batches that begin there. An index would know
/// them one by one, and be written for each; a block's row is written once for all of its batches.
///
/// A block of `unfinished_blocks` has unfinished batches, all but the last one, where none may be left.
enum Block {
    /// A power of two. Looking through a block of one-job batches takes some ten microseconds.
    private static let size = 256

    /// The block of a job's number.
    static func of(_ number: Int) -> Int { number / size }

    /// The job numbers of a block.
    static func jobs(_ block: Int) -> Range<Int> { block * size..<(block + 1) * size }
}
