import Testing

@testable import Scheduling

struct ChunkPlannerTests {
    private let planner = ChunkPlanner(limits: ScheduleLimits(), slots: 4)

    private func speed(_ seconds: Double, chunk: Int = 8192) -> HandlerSpeed {
        var speed = HandlerSpeed()
        speed.measured(jobs: chunk, busy: seconds * Double(chunk))
        return speed
    }

    @Test(arguments: [(1, 1), (15, 1), (16, 1), (17, 2), (100, 7), (1_000_000, 62_500)])
    func `Python's formula`(total: Int, size: Int) {
        #expect(planner.pythonSize(total: total) == size)
    }

    @Test func `Python's formula without a slot`() {
        #expect(ChunkPlanner(limits: ScheduleLimits(), slots: 0).pythonSize(total: 9) == 3)
    }

    @Test func `an unknown handler is tried with one job`() {
        #expect(planner.automaticSize(ready: 1_000_000, speed: HandlerSpeed()) == 1)
    }

    @Test(arguments: [
        (1e-6, 1_000_000, 8192),  // as many as are allowed
        (1e-4, 1_000_000, 200),  // 20 ms
        (0.01, 1_000_000, 2),
        (1.0, 1_000_000, 1),
        (1e-4, 800, 100),  // two shares for each slot
        (1e-4, 801, 101),
        (1e-4, 16, 10),  // less than a millisecond is not worth a chunk
        (0.004, 5, 1),
    ])
    func `twenty milliseconds, balanced towards the end`(seconds: Double, ready: Int, size: Int) {
        #expect(planner.automaticSize(ready: ready, speed: speed(seconds)) == size)
    }

    @Test func `chunks grow eightfold at most`() {
        var speed = HandlerSpeed()
        var sizes: [Int] = []
        for _ in 0..<6 {
            let size = planner.automaticSize(ready: 1_000_000, speed: speed)
            sizes.append(size)
            speed.measured(jobs: size, busy: 1e-6 * Double(size))
        }
        #expect(sizes == [1, 8, 64, 512, 4096, 8192])
    }

    @Test func `only fast jobs, or the last free slot, bring batches together`() {
        #expect(planner.coalesces(speed: speed(0.001), freeSlots: 4))
        #expect(!planner.coalesces(speed: speed(0.006), freeSlots: 4))
        #expect(planner.coalesces(speed: speed(0.006), freeSlots: 1))
        #expect(!planner.coalesces(speed: HandlerSpeed(), freeSlots: 1))
    }
}

struct HandlerSpeedTests {
    @Test func `a slow first job is soon outweighed`() throws {
        var speed = HandlerSpeed()
        speed.measured(jobs: 1, busy: 0.003)
        speed.measured(jobs: 8, busy: 8e-6)
        speed.measured(jobs: 64, busy: 64e-6)
        #expect(try #require(speed.secondsPerJob) < 20e-6)
    }

    @Test func `follows a change of pace`() throws {
        var speed = HandlerSpeed()
        for _ in 0..<10 { speed.measured(jobs: 1000, busy: 0.001) }
        for _ in 0..<5 { speed.measured(jobs: 1000, busy: 0.1) }
        let seconds = try #require(speed.secondsPerJob)
        #expect(seconds > 90e-6 && seconds <= 100e-6)
    }

    @Test func `nonsense changes nothing`() {
        var speed = HandlerSpeed()
        speed.measured(jobs: 0, busy: 1)
        speed.measured(jobs: 5, busy: .nan)
        speed.measured(jobs: 5, busy: -1)
        #expect(speed.secondsPerJob == nil)
        #expect(speed.growthLimit == 1)
    }

    @Test func `chunks shrink to the distance between crashes`() {
        var speed = HandlerSpeed()
        speed.measured(jobs: 8000, busy: 0.01)
        speed.interrupted(afterJobs: 3, busy: 0.0001)
        #expect(speed.growthLimit == 24)
        speed.interrupted(afterJobs: 0, busy: 0)
        #expect(speed.growthLimit == 1)
        #expect(speed.secondsPerJob != nil)
    }
}
