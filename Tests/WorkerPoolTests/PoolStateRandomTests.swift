import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@testable import WorkerPool

/// Long random lives of a pool, in a world that keeps to the rules of processes and nothing else.
@Suite struct PoolStateRandomTests {
    @Test(arguments: 1...60) func whateverHappensThePoolKeepsItsPromises(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<1500 { world.live() }
        world.end()
    }
}

private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// What is around the state: zygotes, processes and a clock.
private struct World {
    private struct Process {
        var number: Int32?
        let runtime: Int
        var isAlive = true
        var isReady = false
        var chunk: UInt64?
        var isRecalled = false
        /// Signalled with SIGKILL, or told that nothing more comes.
        var isDoomed = false
    }

    private var dice: Dice
    private var now = StateHarness.at(0)
    private var state: PoolState
    private var zygotes: Set<Int> = []
    private var prepared: Set<Int> = []
    private var processes: [UInt32: Process] = [:]
    /// Chunks handed in, and whether they have ended.
    private var chunks: [UInt64: Bool] = [:]
    private var lastChunk: UInt64 = 0
    private var lastProcess: Int32 = 100
    private var isEnding = false

    private static let handlers = [["a", "b"], ["c"], ["d"]]

    init(seed: UInt64) {
        dice = Dice(state: seed)
        let profiles = World.handlers.map { $0.map(World.profile) }
        state = PoolState(
            slots: Int.random(in: 1...5, using: &dice),
            runtimes: profiles.enumerated().map { StateHarness.rules("runtime \($0)", $1) },
            gracePeriod: .milliseconds(700), followsAllowance: Bool.random(using: &dice), now: now)
    }

    private static func profile(_ name: String) -> HandlerProfile {
        HandlerProfile(
            name: name, limits: HandlerLimits(timeout: name == "b" ? 1 : nil, residentBytes: name == "a" ? 100 : nil),
            recycling: RecyclingPolicy(jobs: name == "c" ? 7 : nil, residentBytes: name == "b" ? 10 : nil))
    }

    /// Something happens.
    mutating func live() {
        switch Int.random(in: 0..<100, using: &dice) {
        case 0..<25: advance(by: Int64.random(in: 0...200, using: &dice))
        case 25..<27: advance(by: Int64.random(in: 0...20_000, using: &dice))
        case 27..<50: handIn()
        case 50..<53: cancelOne()
        case 53..<55: recallOne()
        case 55..<70: workersGoOn()
        case 70..<85: completeOne()
        case 85..<91: killOne()
        case 91..<93: misbehave()
        case 93..<95: zygoteDies()
        case 95..<96: obey(state.resize(to: Int.random(in: 0...6, using: &dice), now: now))
        case 96..<97: reload()
        default: zygotesGoOn()
        }
    }

    /// Everything comes to its end.
    mutating func end() {
        isEnding = true
        obey(state.stop(now: now))
        for number in processes.keys.sorted() { die(number) }
        #expect(state.isQuiet)
        for (chunk, hasEnded) in chunks { #expect(hasEnded, "chunk \(chunk) has no end") }
    }

    // MARK: Events

    /// Everything is prepared anew, in groups of a new cut; a handler may be missing.
    private mutating func reload() {
        var groups: [[String]] = [[], [], []]
        for handler in World.handlers.joined() where Int.random(in: 0..<8, using: &dice) > 0 {
            groups[Int.random(in: 0..<3, using: &dice)].append(handler)
        }
        let rules = groups.enumerated().map { StateHarness.rules("runtime \($0)", $1.map(World.profile)) }
        obey(state.reload(rules, now: now))
        #expect(Set(state.places.keys) == Set(groups.joined()))
        #expect(state.workers.values.allSatisfy { !$0.isProbe || $0.isDismissed || !$0.isReady })
    }

    private mutating func advance(by milliseconds: Int64) {
        now = now + .milliseconds(milliseconds)
        // What has to be done at once may entail more of that, but not for ever.
        var turns = 0
        while let alarm = state.alarm, alarm <= now, turns < 10 {
            obey(state.tick(now: now))
            turns += 1
        }
        #expect(turns < 10, "it spins")
    }

    private mutating func handIn() {
        guard chunks.values.count(where: { !$0 }) < state.slots else { return }
        lastChunk += 1
        chunks[lastChunk] = false
        let handler = World.handlers.joined().randomElement(using: &dice) ?? "a"
        let isSolitary = Int.random(in: 0..<10, using: &dice) == 0
        obey(state.run(StateHarness.chunk(lastChunk, handler, count: 3, isSolitary: isSolitary), now: now))
    }

    private mutating func cancelOne() {
        guard let chunk = chunks.filter({ !$0.value }).keys.sorted().randomElement(using: &dice) else { return }
        obey(state.cancel(chunk, now: now))
    }

    private mutating func recallOne() {
        guard let chunk = chunks.filter({ !$0.value }).keys.sorted().randomElement(using: &dice) else { return }
        obey(state.recall(chunk, now: now))
    }

    /// Forks are answered, steps done, and the doomed die.
    private mutating func workersGoOn() {
        for number in processes.keys.sorted() where Bool.random(using: &dice) {
            guard let process = processes[number], process.isAlive else { continue }
            if process.isDoomed {
                die(number)
            } else if process.number == nil, prepared.contains(process.runtime), Int.random(in: 0..<5, using: &dice) > 0
            {
                // It may say that it is ready before the zygote says that it is forked.
                fork(number)
            } else if !process.isReady {
                processes[number]?.isReady = true
                obey(state.ready(number, now: now))
            }
        }
    }

    private mutating func fork(_ number: UInt32) {
        if Int.random(in: 0..<20, using: &dice) == 0 {
            processes[number]?.isAlive = false
            obey(state.forkFailed(number, "no memory", now: now))
            return
        }
        lastProcess += 1
        processes[number]?.number = lastProcess
        obey(state.forked(number, process: lastProcess, now: now))
    }

    private mutating func completeOne() {
        guard let number = working.randomElement(using: &dice), processes[number]?.isDoomed == false else { return }
        let finished = processes[number]?.isRecalled == true ? Int.random(in: 0...3, using: &dice) : nil
        processes[number]?.chunk = nil
        processes[number]?.isRecalled = false
        let bytes = Int64.random(in: 0...20, using: &dice)
        obey(state.completed(number, finished: finished, busy: 0, residentBytes: bytes, now: now))
    }

    private mutating func killOne() {
        guard let number = alive.randomElement(using: &dice), processes[number]?.number != nil else { return }
        die(number)
    }

    private mutating func misbehave() {
        guard let number = alive.randomElement(using: &dice), let process = processes[number], process.number != nil
        else {
            return
        }
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: obey(state.violated(number, ProtocolViolation("x"), now: now))
        case 1: obey(state.socketEnded(number, now: now))
        default: if !process.isReady { obey(state.stepFailed(number, "x", now: now)) }
        }
    }

    private mutating func zygotesGoOn() {
        for place in zygotes.sorted() where !prepared.contains(place) {
            if Int.random(in: 0..<4, using: &dice) == 0 {
                state.preparationFailed(place, "x")
                loseZygote(place)
            } else {
                prepared.insert(place)
                let broken = state.runtimes[place].handlers.filter { _ in Int.random(in: 0..<10, using: &dice) == 0 }
                obey(state.zygoteReady(place, broken.map { UnusableHandler(name: $0, reason: "x") }, now: now))
            }
        }
    }

    private mutating func zygoteDies() {
        if let place = zygotes.sorted().randomElement(using: &dice) { loseZygote(place) }
    }

    private mutating func loseZygote(_ place: Int) {
        zygotes.remove(place)
        prepared.remove(place)
        let orphans = alive.filter { processes[$0]?.runtime == place }
        for number in orphans { processes[number]?.isAlive = false }
        obey(state.zygoteEnded(place, "has died", now: now))
        for number in orphans where state.workers[number] != nil { obey(state.socketEnded(number, now: now)) }
    }

    private mutating func die(_ number: UInt32) {
        guard let process = processes[number], process.isAlive, let id = process.number else { return }
        processes[number]?.isAlive = false
        if Bool.random(using: &dice) { obey(state.socketEnded(number, now: now)) }
        guard state.workers[number] != nil else { return }
        let exit = ProcessExit(processID: id, signal: SIGKILL)
        obey(state.exited(exit, runtime: process.runtime, now: now))
    }

    private var alive: [UInt32] { processes.filter(\.value.isAlive).keys.sorted() }
    private var working: [UInt32] { alive.filter { processes[$0]?.chunk != nil } }

    // MARK: Actions

    private mutating func obey(_ actions: [PoolState.Action]) {
        for action in actions { obey(action) }
        for place in state.places.values { #expect(state.runtimes[place].role == .inForce, "somebody serves it") }
        for worker in state.workers.values where worker.work?.isAlone == true {
            #expect(state.workers.values.count { $0.runtime == worker.runtime && $0.work != nil } == 1)
        }
        let deadlines = state.workers.values.flatMap(\.deadlines) + state.runtimes.flatMap(\.deadlines)
        if !isEnding, let first = deadlines.min() {
            #expect(state.alarm.map { $0 <= first } ?? false, "the alarm comes too late")
        }
    }

    private mutating func obey(_ action: PoolState.Action) {
        switch action {
        case .spawnZygote(let place):
            #expect(!zygotes.contains(place))
            zygotes.insert(place)
        case .killZygote(let place):
            if zygotes.contains(place) { loseZygote(place) }
        case .fork(let worker, let place):
            if state.workers[worker]?.isProbe == true {
                #expect(state.workers.values.count { $0.runtime == place && $0.isProbe && $0.isUsable } == 1)
            } else {
                #expect(state.living <= state.slots)
            }
            guard state.isForking(worker) else { return }
            #expect(processes[worker] == nil)
            #expect(prepared.contains(place))
            processes[worker] = Process(runtime: place)
        case .send(let worker, let assignment):
            let process = processes[worker]
            #expect(process?.isAlive == true && process?.isReady == true && process?.isDoomed == false)
            #expect(process?.number != nil, "it could not be killed")
            #expect(process?.chunk == nil, "one at a time")
            #expect(chunks[assignment.chunk.id] == false)
            #expect(
                process.map { state.runtimes[$0.runtime].handlers.contains(assignment.chunk.handler) } ?? false,
                "only its own runtime can run it")
            processes[worker]?.chunk = assignment.chunk.id
        case .kill(let worker, let signal):
            guard state.process(of: worker) != nil else { return }
            #expect(processes[worker]?.number != nil)
            if signal == SIGKILL { processes[worker]?.isDoomed = true }
        case .recall(let worker, let chunk):
            #expect(processes[worker]?.chunk == chunk)
            processes[worker]?.isRecalled = true
        case .dismiss(let worker):
            #expect(processes[worker]?.chunk == nil)
            processes[worker]?.isDoomed = true
        case .inspect(let worker):
            inspect(worker)
        case .measure(let worker):
            let running = running(worker)
            let bytes = Int64.random(in: 0...110, using: &dice)
            obey(state.measured(worker, residentBytes: bytes, running, now: now))
        case .collect(let worker, _):
            let isRunning = Bool.random(using: &dice)
            let remains = PoolState.Remains(
                finished: Int.random(in: 0...3, using: &dice), runningSince: isRunning ? now : nil)
            obey(state.collected(worker, remains, now: now))
        case .drop(let worker):
            processes[worker]?.isAlive = false
        case .adopt(let process):
            #expect(process > 100)
        case .readAllowance:
            obey(state.allowed(Int.random(in: 1...5, using: &dice), now: now))
        case .emit(.ended(let chunk, _)):
            #expect(chunks[chunk] == false, "chunk \(chunk) ends once")
            chunks[chunk] = true
        case .emit, .wake:
            break
        }
    }

    private mutating func inspect(_ worker: UInt32) {
        let sight = PoolState.Sight(
            running: running(worker), hasBegun: Bool.random(using: &dice),
            finished: Int.random(in: 0...1, using: &dice),
            isSuspended: Int.random(in: 0..<10, using: &dice) == 0)
        obey(state.observed(worker, sight, now: now))
    }

    private mutating func running(_ worker: UInt32) -> SharedPage.RunningJob? {
        guard Bool.random(using: &dice), let chunk = state.chunk(of: worker) else { return nil }
        let since = now + .milliseconds(-Int64.random(in: 0...1500, using: &dice))
        return SharedPage.RunningJob(chunk: chunk.id, position: Int.random(in: 0...2, using: &dice), startedAt: since)
    }
}
