// Chunks that were handed out when more was allowed than is now.
extension ScheduleState {
    /// The chunks that are to be handed back as far as they have not begun: those that are too many for a limit of their queue or handler,
    /// the latest first, and all of a queue that is paused or of a service that drains. They count until they have ended, so that nothing
    /// takes their place before. To be called when something may run less than before.
    mutating func recallExcess() -> [UInt64] {
        var kept = (queues: [Int: Int](), handlers: [Int: Int]())
        var recalled: [UInt64] = []
        for id in chunks.keys.sorted() {
            guard let chunk = chunks[id], !chunk.isRecalled else { continue }
            let limits = (queue: queues[chunk.queue].limit, handler: gates[chunk.handler].concurrency ?? .max)
            if !isDraining, kept.queues[chunk.queue, default: 0] < limits.queue,
                kept.handlers[chunk.handler, default: 0] < limits.handler
            {
                kept.queues[chunk.queue, default: 0] += 1
                kept.handlers[chunk.handler, default: 0] += 1
            } else {
                chunks[id]?.isRecalled = true
                recalled.append(id)
            }
        }
        return recalled
    }
}
