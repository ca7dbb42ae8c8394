/// How long the jobs of a handler take, learnt from the chunks that ran: each new chunk halves the weight of all before it.
struct HandlerSpeed: Sendable {
    private var busy = 0.0
    private var jobs = 0.0
    /// The size of the largest chunk of late.
    private var largest = 0

    /// Nil as long as nothing is known.
    var secondsPerJob: Double? { jobs > 0 ? max(busy / jobs, 1e-9) : nil }

    /// The most jobs that the next chunk may hold: eight times what has been tried, as one chunk's mean says little of others.
    var growthLimit: Int { max(1, 8 * largest) }

    /// - busy: seconds that all the jobs took together.
    mutating func measured(jobs count: Int, busy seconds: Double) {
        guard count > 0, seconds.isFinite, seconds >= 0 else { return }
        busy = busy / 2 + seconds
        jobs = jobs / 2 + Double(count)
        largest = max(count, largest / 2)
    }

    /// A chunk broke after `count` jobs. Chunks shrink to the distance between crashes, so that little is sent twice.
    mutating func interrupted(afterJobs count: Int, busy seconds: Double) {
        measured(jobs: count, busy: seconds)
        largest = count
    }
}
