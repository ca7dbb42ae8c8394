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

/// The descriptors that this process has open.
func descriptorCount() -> Int { (0..<1024).count { fcntl($0, F_GETFD) >= 0 } }

/// A server of its own, for what a test cannot ask of its own process: counts its descriptors before and after 200 crashes
/// and as many forks, lets a worker hang, and tells the process at descriptor 3 "before after worker" before it hangs, too.
func serve() throws {
    let ends = Monitor<[UInt64: ChunkEnd]>([:])
    let answer = Mutex("")
    let pool = Pool(configuration: PoolConfiguration(slots: 2), logger: Logger(label: "host")) { event in
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
    for id: UInt64 in 10..<210 {
        run(id, "crash", "null")
        awaitEnd(id)
    }
    let after = count(300)
    run(400, "whoami", "0")
    awaitEnd(400)
    run(401, "hang", "0")
    run(402, "hang", "0")
    let worker = answer.withLock { $0 }
    _ = try SocketTransfer.sendMessage(3, Array("\(before) \(after) \(worker)".utf8))
    while true { pause() }
}

Zygote.runIfRequested(
    arguments: CommandLine.arguments,
    handlers: DemoHandlers.all + [stubborn, mark, hostile, parent, letters, identity, whoami, descriptors])
if CommandLine.arguments.dropFirst() == ["serve"] { try serve() }
print("This program only serves the tests of WorkerPool.")
