import JobModel
import JobStore

/// How many unfinished batches of a lane begin in a block.
final class BlockCount {
    struct Key: Hashable {
        var lane: WorkLane
        var block: Int
    }

    let key: Key
    var unfinished: Int

    init(_ key: Key, unfinished: Int) {
        self.key = key
        self.unfinished = unfinished
    }
}

/// What the writer remembers of the tables of blocks, so that it reads and writes them once for many batches.
struct BlockMemory {
    /// The block in which the last batch begins: nil if it is to be read, -1 in an empty store.
    var last: Int?
    /// Handlers known to have a row for the last block, the one that was used last once more beside.
    var handlers: Set<String> = []
    var handler: String?
    /// Queues known to have a row for the last block.
    var queues: Set<String> = []
    /// Of blocks with a row: all of the last one, the others as far as they were counted.
    var counts: [BlockCount.Key: BlockCount] = [:]
    /// The one of the batch that was submitted last.
    var count: BlockCount?
}

extension WriteSession {
    /// To be called before the row of a batch is inserted. Counts it.
    mutating func enterBlock(base: Int, handler: String, lane: WorkLane) throws -> BlockCount {
        let block = Block.of(base)
        if try lastBlock() != block { try leaveLastBlock(for: block) }
        if blocks.handler != handler {
            if blocks.handlers.insert(handler).inserted {
                try sql.insertHandlerBlock.bind(handler, at: 1)
                try sql.insertHandlerBlock.bind(block, at: 2)
                try sql.insertHandlerBlock.run()
            }
            blocks.handler = handler
        }
        let count: BlockCount
        if let known = blocks.count, known.key.lane == lane {
            count = known
        } else {
            try enterQueue(lane.queue, block: block)
            count = try openCount(BlockCount.Key(lane: lane, block: block))
            blocks.count = count
        }
        count.unfinished += 1
        return count
    }

    /// Of a batch that is stored and unfinished.
    mutating func countOfBlock(base: Int, lane: WorkLane) throws -> BlockCount {
        // Counts those of the last block if they are not yet known.
        _ = try lastBlock()
        let key = BlockCount.Key(lane: lane, block: Block.of(base))
        if let known = blocks.counts[key] { return known }
        let count = BlockCount(key, unfinished: try countUnfinished(key))
        blocks.counts[key] = count
        return count
    }

    /// To be called when a batch is finished.
    mutating func leaveBlock(of batch: ActiveBatch) throws {
        if batch.progress.phase == .cancelled {
            try sql.insertCancelledBlock.bind(batch.block.key.block, at: 1)
            try sql.insertCancelledBlock.run()
        }
        batch.block.unfinished -= 1
        guard batch.block.unfinished == 0 else { return }
        lanes.mayBeFewer = true
        // The row of the last block stays for the batches to come.
        if try lastBlock() != batch.block.key.block { try close(batch.block) }
    }

    private mutating func enterQueue(_ name: String, block: Int) throws {
        guard name != QueueSettings.defaultName, blocks.queues.insert(name).inserted else { return }
        try sql.insertQueueBlock.bind(name, at: 1)
        try sql.insertQueueBlock.bind(block, at: 2)
        try sql.insertQueueBlock.run()
    }

    private mutating func openCount(_ key: BlockCount.Key) throws -> BlockCount {
        if let known = blocks.counts[key] { return known }
        try run(sql.insertUnfinishedBlock, key)
        let count = BlockCount(key, unfinished: 0)
        blocks.counts[key] = count
        return count
    }

    private mutating func close(_ count: BlockCount) throws {
        try run(sql.deleteUnfinishedBlock, count.key)
        blocks.counts[count.key] = nil
    }

    private mutating func leaveLastBlock(for next: Int) throws {
        let last = try lastBlock()
        for count in blocks.counts.values where count.key.block == last && count.unfinished == 0 { try close(count) }
        blocks.handlers.removeAll(keepingCapacity: true)
        blocks.handler = nil
        blocks.queues.removeAll(keepingCapacity: true)
        blocks.count = nil
        blocks.last = next
    }

    /// Reads what is stored of the last block if nothing is remembered of it.
    private mutating func lastBlock() throws -> Int {
        if let last = blocks.last { return last }
        let last = try firstColumn(of: sql.lastBase).first.map(Block.of) ?? -1
        for lane in try lanes(of: last) {
            let key = BlockCount.Key(lane: lane, block: last)
            blocks.counts[key] = BlockCount(key, unfinished: try countUnfinished(key))
        }
        blocks.last = last
        return last
    }

    private func countUnfinished(_ key: BlockCount.Key) throws -> Int {
        let jobs = Block.jobs(key.block)
        try sql.countUnfinished.bind(jobs.lowerBound, at: 1)
        try sql.countUnfinished.bind(jobs.upperBound, at: 2)
        try sql.countUnfinished.bind(key.lane.priority, at: 3)
        try sql.countUnfinished.bind(QueueSettings.stored(key.lane.queue), at: 4)
        return try firstColumn(of: sql.countUnfinished).first ?? 0
    }

    private func run(_ statement: SQLStatement, _ key: BlockCount.Key) throws {
        try statement.bind(key.lane.queue, at: 1)
        try statement.bind(key.lane.priority, at: 2)
        try statement.bind(key.block, at: 3)
        try statement.run()
    }

    private func lanes(of block: Int) throws -> [WorkLane] {
        defer { sql.blockLanes.reset() }
        try sql.blockLanes.bind(block, at: 1)
        var lanes: [WorkLane] = []
        while try sql.blockLanes.step() {
            lanes.append(WorkLane(queue: sql.blockLanes.text(0), priority: sql.blockLanes.integer(1)))
        }
        return lanes
    }

    private func firstColumn(of statement: SQLStatement) throws -> [Int] {
        defer { statement.reset() }
        var numbers: [Int] = []
        while try statement.step() { numbers.append(statement.integer(0)) }
        return numbers
    }
}
