// The program whose zygote and workers the pool's tests use: the demo handlers and a few that misbehave.
import Glibc
import JobModel
import Logging
import Platform
import Synchronization
import WorkerKit
import WorkerPool

/// Ignores SIGTERM and never returns.
let stubborn = Handler("stubborn") { (_: Int, _: JobContext) -> Int in
    signal(SIGTERM, SIG_IGN)
    while true { pause() }
}

/// Makes a file of this name and never returns; returns at once if the name is empty.
let mark = Handler("mark") { (path: String, _: JobContext) -> String in
    if path.isEmpty { return "" }
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    while true { pause() }
}

/// Makes a file of this name and returns when it is gone; returns at once if the name is empty.
let gate = Handler("gate") { (path: String, _: JobContext) -> String in
    if path.isEmpty { return "" }
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    while access(path, F_OK) == 0 { usleep(1000) }
    return "open"
}

/// Kills the process that has forked the worker, if told to, and waits for what comes of it.
let patricide = Handler("patricide") { (kills: Bool, _: JobContext) -> Bool in
    guard kills else { return false }
    kill(getppid(), SIGKILL)
    while true { pause() }
}

/// Writes bytes of its own into the worker's socket: 1 garbage, 2 a frame of 4 GiB, 3 half a frame and then the end.
let hostile = Handler("hostile") { (mode: Int, _: JobContext) -> Int in
    let bytes: [UInt8] =
        switch mode {
        case 1: [3, 0, 0, 0, 99, 1, 2]
        case 2: [0xFF, 0xFF, 0xFF, 0xFF, 1]
        default: [100, 0, 0, 0, 1, 0, 0]
        }
    _ = write(3, bytes, bytes.count)
    if mode == 3 { exit(0) }
    while true { pause() }
}

/// Starts a process of its own that would outlive the worker, and crashes when asked to; returns the process's number.
let parent = Handler("parent") { (crashes: Bool, _: JobContext) -> Int in
    var child: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
    posix_spawn(&child, "/bin/sleep", nil, nil, &arguments, environ)
    if crashes { abort() }
    return Int(child)
}

/// A string of so many letters.
let letters = Handler("letters") { (count: Int, _: JobContext) -> String in String(repeating: "a", count: count) }

let identity = Handler("identity") { (_: Int, context: JobContext) -> [String] in
    [context.jobID, context.batchID, String(context.index), String(context.attempt)]
}

/// Says the worker's process identifier.
let whoami = Handler("whoami") { (_: Int, _: JobContext) -> Int in Int(getpid()) }

/// The numbers of the worker's open descriptors.
let descriptors = Handler("descriptors") { (_: Int, _: JobContext) -> [Int] in
    (0..<256).filter { fcntl($0, F_GETFD) >= 0 }.map(Int.init)
}

/// Prints its payload on both streams, without an end of line on the second.
let printing = Handler("print") { (text: String, _: JobContext) -> Bool in
    print("out: \(text)")
    let errors = Array("err: \(text)".utf8)
    return write(2, errors, errors.count) == errors.count
}

/// Prints so many lines.
let flood = Handler("flood") { (count: Int, _: JobContext) -> Int in
    for number in 0..<count { print("line \(number) of a flood that nobody wants to read to its end") }
    return count
}

/// Prints to standard error and crashes.
let complain = Handler("complain") { (text: String, _: JobContext) -> Bool in
    let errors = Array(text.utf8)
    _ = write(2, errors, errors.count)
    abort()
}

/// Takes so much memory and does not give it back; returns never.
let grow = Handler("grow") { (count: Int, _: JobContext) -> Int in
    guard count > 0 else { return 0 }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4096)
    for offset in stride(from: 0, to: count, by: 4096) {
        memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    while true { pause() }
}

/// Takes so much memory, keeps it and returns its process identifier.
let hoard = Handler("hoard") { (count: Int, _: JobContext) -> Int in
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, count), alignment: 4096)
    for offset in stride(from: 0, to: count, by: 4096) {
        memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    return Int(getpid())
}

/// Uses the processor until it is killed.
let spin = Handler("spin") { (_: Int, _: JobContext) -> Int in
    var number: UInt64 = 1
    while number != 0 { number = number &* 3 }
    return 0
}

/// Stops its own process as SIGSTOP does.
let freeze = Handler("freeze") { (_: Int, _: JobContext) -> Int in
    raise(SIGSTOP)
    return 0
}

/// Starts a process that leaves the worker's group and session; returns its number.
let runaway = Handler("runaway") { (_: Int, _: JobContext) -> Int in
    var child: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("setsid"), strdup("sleep"), strdup("600"), nil]
    posix_spawn(&child, "/usr/bin/setsid", nil, nil, &arguments, environ)
    return Int(child)
}

/// Adds its payload to the counter "seen"; crashes behind that if it is 13.
let counted = Handler("counted") { (number: Int, context: JobContext) -> Int in
    context.add(number, to: "seen")
    if number == 13 { abort() }
    return number
}

/// Logs a line and says how far it is, and waits to be killed if its payload says so.
let speaking = Handler("speaking") { (hangs: Bool, context: JobContext) -> Bool in
    context.logger.warning("careful")
    context.report(progress: 0.5, message: "half")
    while hangs { pause() }
    return hangs
}

/// Logs so many lines, and crashes behind them if the number is negative.
let chatter = Handler("chatter") { (count: Int, context: JobContext) -> Int in
    for number in 0..<abs(count) { context.logger.info("line \(number)") }
    if count < 0 { abort() }
    return count
}

/// Prints so many lines of 4,000 bytes and waits to be killed.
let babble = Handler("babble") { (count: Int, _: JobContext) -> Int in
    for _ in 0..<count { print(String(repeating: "b", count: 4000)) }
    while true { pause() }
}

/// Its batch's shared number and its own together.
let sharing = Handler("shared") { (number: Int, context: JobContext) -> Int in
    try number + context.shared(as: Int.self)
}

/// How many more files can be opened, at most so many.
let files = Handler("files") { (most: Int, _: JobContext) -> Int in
    (0..<most).count { _ in open("/dev/null", O_RDONLY) >= 0 }
}

/// Burns half a second of processor time, holds much memory for a while and says so; with `true` says something else and crashes.
let spender = Handler("spender") { (crashes: Bool, _: JobContext) -> Int in
    let words = Array((crashes ? "last words" : "a neighbour's").utf8)
    _ = write(2, words, words.count)
    if crashes { abort() }
    let size = 200 << 20
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    for offset in stride(from: 0, to: size, by: 4096) { memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self) }
    memory.deallocate()
    let end = clock() + CLOCKS_PER_SEC / 2
    while clock() < end {}
    return size
}

/// Writes its payload to standard error, uses 50 ms of processor time and fails.
let regret = Handler("regret") { (text: String, _: JobContext) -> Bool in
    let words = Array(text.utf8)
    _ = write(2, words, words.count)
    let end = clock() + CLOCKS_PER_SEC / 20
    while clock() < end {}
    throw JobError(text)
}

/// From now on SIGUSR1 makes the worker stand still; returns its process identifier.
let deafen = Handler("deafen") { (_: Int, _: JobContext) -> Int in
    signal(SIGUSR1) { _ in while true { pause() } }
    return Int(getpid())
}

/// A failure while the file that this names does not exist.
func require(_ variable: String) throws {
    guard let path = getenv(variable) else { return }
    if access(path, F_OK) != 0 { throw JobError("\(variable) is missing") }
}

let prepared = Handler("prepared", prepare: { try require("JOBMILL_PREPARE") }) {
    (number: Int, _: Void, _: JobContext) in
    number
}

/// Each worker's own step waits for ever if the file's name is empty.
let stepped = Handler(
    "stepped",
    worker: {
        while getenv("JOBMILL_STEP")?.pointee == 0 { pause() }
        try require("JOBMILL_STEP")
    }
) { (number: Int, _: Void, _: JobContext) in number }

/// The descriptors that this process has open.
func descriptorCount() -> Int { (0..<1024).count { fcntl($0, F_GETFD) >= 0 } }

/// A server of its own, for what a test cannot ask of its own process: counts its descriptors before and after as many
/// crashes and forks as it is told, lets a worker hang, and tells the process at descriptor 3 "before after worker runaway" before it hangs, too.
func serve(crashes: UInt64) throws {
    let ends = Monitor<[UInt64: ChunkEnd]>([:])
    let answer = Mutex("")
    let names = ["sleep", "crash", "whoami", "runaway", "hang"]
    let runtime = RuntimeDefinition.swift(handlers: names.map { HandlerProfile(name: $0) })
    let pool = Pool(configuration: PoolConfiguration(slots: 2, runtimes: [runtime]), logger: Logger(label: "host")) {
        event in
        if case .outcomes(_, _, let runs) = event, case .succeeded(_, let body)? = runs.last {
            answer.withLock { $0 = String(decoding: body, as: UTF8.self) }
        }
        guard case .ended(let chunk, let end) = event else { return }
        ends.withLock { $0[chunk] = end }
        ends.notifyAll()
    }
    try pool.start()
    func run(_ id: UInt64, _ handler: String, _ payload: String) {
        let part = Chunk.Part(
            batch: BatchID(ULID(high: 1, low: 1)), first: 0, count: 1, attempt: 1, input: Array(payload.utf8))
        pool.run(Chunk(id: id, handler: handler, timeout: nil, parts: [part]))
    }
    func awaitEnd(_ id: UInt64) {
        ends.wait { ends in ends[id] == nil ? .sleep(until: nil) : .done(()) }
    }
    /// Both workers are forked when each of them has something to do.
    func count(_ id: UInt64) -> Int {
        for offset: UInt64 in 0...1 { run(id + offset, "sleep", "0.1") }
        for offset: UInt64 in 0...1 { awaitEnd(id + offset) }
        return descriptorCount()
    }
    let before = count(1)
    for id in 10..<10 + crashes {
        run(id, "crash", "null")
        awaitEnd(id)
    }
    let after = count(1_000_000)
    func ask(_ id: UInt64, _ handler: String) -> String {
        run(id, handler, "0")
        awaitEnd(id)
        return answer.withLock { $0 }
    }
    let runaway = ask(2_000_000, "runaway")
    let worker = ask(2_000_001, "whoami")
    run(2_000_002, "hang", "0")
    run(2_000_003, "hang", "0")
    _ = try SocketTransfer.sendMessage(3, Array("\(before) \(after) \(worker) \(runaway)".utf8))
    while true { pause() }
}

Zygote.runIfRequested(
    arguments: CommandLine.arguments,
    handlers: DemoHandlers.all + [
        stubborn, mark, gate, hostile, parent, letters, identity, whoami, descriptors, printing, flood, complain, grow,
        hoard, spin, patricide, freeze, runaway, counted, speaking, chatter, babble, sharing, files, spender, regret,
        deafen, prepared, stepped,
    ])
if CommandLine.arguments.count > 3, CommandLine.arguments[1] == "fake-zygote" {
    try FakeZygote(mode: CommandLine.arguments[2]).run()
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "serve" {
    try serve(crashes: UInt64(CommandLine.arguments[2]) ?? 0)
}
print("This program only serves the tests of WorkerPool.")
