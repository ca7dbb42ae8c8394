// The program whose zygote and workers the tests of WorkerKit use.
import Foundation
import Glibc
import Logging
import Platform
import Synchronization
import WorkerKit

/// A model that cannot be sent anywhere.
final class Model {
    let preparedBy = getpid()
}

final class Session {
    let model: Model
    let madeBy = getpid()
    var jobs = 0
    init(_ model: Model) { self.model = model }
}

/// Who prepared, who made the worker's state, who runs the job, and the how-manieth this is in the worker.
let steps = Handler("steps", prepare: { Model() }, worker: { model in Session(model) }) {
    (_: Int, session: Session, _) -> [Int] in
    session.jobs += 1
    return [Int(session.model.preparedBy), Int(session.madeBy), Int(getpid()), session.jobs]
}

let badPreparation = Handler("bad-preparation", prepare: { () throws -> Int in throw JobError("no model") }) {
    (_: Int, _: Int, _) in 0
}

/// Its preparation leaves a thread behind.
let threaded = Handler("threaded", prepare: { try OwnedThread(name: "left") { while true { pause() } } }) {
    (_: Int, _: OwnedThread, _) in 0
}

let badStep = Handler("bad-step", worker: { () throws -> Int in throw JobError("no connection") }) {
    (_: Int, _: Int, _) in 0
}

/// Its preparation opens a file, whose number and content it returns.
let file = Handler("file", prepare: { open("/proc/self/comm", O_RDONLY) }) { (_: Int, file: Int32, _) -> [Int] in
    var byte: UInt8 = 0
    return [Int(file), pread(file, &byte, 1, 0), Int(fcntl(0, F_GETFD))]
}

/// Prints to both streams, without a line's end on the first.
let talk = Handler("talk") { (text: String, _) -> Int in
    print(text, terminator: "")
    StandardError.write("error: " + text)
    return Int(getpid())
}

/// Comes back twice: once for the original, with true, and once for the copy.
let twice = Handler("twice") { (_: Int, context) -> Bool in
    let side = try ChildProcess.fork()
    context.add(to: "forks")
    context.report(message: "forked")
    return side != .child
}

/// Closes every descriptor, and is at it for so many seconds.
let closer = Handler("closer") { (seconds: Double, _) -> Int in
    try CurrentProcess.closeDescriptors(from: 0)
    usleep(UInt32(seconds * 1_000_000))
    return 1
}

let quitter = Handler("quitter") { (code: Int32, _) -> Int in exit(code) }

/// Makes a file when it begins. Ends when it is cancelled: with a result, or with an error for an empty name.
let patient = Handler("patient") { (marker: String, context) -> String in
    close(open(marker.isEmpty ? "/dev/null" : marker, O_CREAT | O_WRONLY, 0o600))
    context.logger.info("begun")
    while !context.isCancelled { usleep(1000) }
    if marker.isEmpty { throw JobError("cancelled") }
    return "ended"
}.withCooperativeCancellation()

/// The same, waiting for its task to be cancelled.
let asyncPatient = Handler("async-patient") { (_: Int, context) -> String in
    context.logger.info("begun")
    do {
        try await Task.sleep(for: .seconds(600))
        return "slept"
    } catch is CancellationError {
        return context.isCancelled ? "ended" : "ended by somebody else"
    }
}.withCooperativeCancellation()

/// How many descriptors it may have open.
let files = Handler("files") { (_: Int, _) -> Int in ResourceLimits.openFiles ?? 0 }

/// Uses processor time for ever, or for so many seconds.
let burn = Handler("burn") { (seconds: Double, _) -> Double in
    func used() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let end = used() + seconds
    while seconds < 0 || used() < end {}
    return seconds
}

/// Starts a process that leaves the worker's session and loses its parent, as daemons do; returns its number.
let daemon = Handler("daemon") { (crashes: Bool, _) -> Int in
    let (read, write) = try SocketPair().split()
    if case .child = try ChildProcess.fork() {
        setsid()
        if case .child = try ChildProcess.fork() {
            // Now it is in no group and no session that anybody else knows.
            setsid()
            var number = getpid()
            Glibc.write(write, &number, 4)
            while true { pause() }
        }
        CurrentProcess.exit(0)
    }
    var number: pid_t = 0
    while Glibc.read(read, &number, 4) != 4 {}
    close(read)
    close(write)
    if crashes { abort() }
    return Int(number)
}

/// Which signals are blocked and which are ignored, as the kernel's masks, without the two that belong to glibc.
let signals = Handler("signals") { (_: Int, _) -> [UInt64] in
    (SmallFile.read("/proc/self/status") ?? "").split(separator: "\n")
        .filter { $0.hasPrefix("SigBlk") || $0.hasPrefix("SigIgn") }
        .map { (UInt64($0.split(separator: "\t").last ?? "", radix: 16) ?? .max) & ~(3 << 31) }
}

/// Counts that it has begun, crashes if it is asked to, and counts that it has come to its end.
let tally = Handler("tally") { (crashes: Bool, context) -> Int in
    context.add(to: "begun")
    if crashes { abort() }
    context.add(to: "ended")
    return 1
}

let whoami = Handler("whoami") { (_: Int, _) -> [Int] in
    [Int(getpid())] + CurrentProcess.openDescriptors(from: 0).map(Int.init)
}

func later<Value: Sendable>(_ value: Value) async throws -> Value {
    try await Task.sleep(for: .milliseconds(1))
    return value
}

let jobsAtOnce = Atomic<Int>(0)

let async: [Handler] = [
    Handler("async-plain") { (payload: Int, _) in try await later(payload) + 1 },
    Handler("async-prepared", prepare: { 10 }) { (payload: Int, base: Int, _) in try await later(payload) + base },
    Handler("async-own", worker: { 100 }) { (payload: Int, base: Int, _) in try await later(payload) + base },
    Handler("async-both", prepare: { Model() }, worker: { Session($0) }) { (step: Int, session: Session, _) -> Int in
        session.jobs += try await later(step)
        return session.jobs
    },
    Handler("async-failing") { (_: Int, _) -> Int in
        _ = try await later(1)
        throw JobError("too late")
    },
    Handler.asyncBytes("async-raw") { payload, result, _ in
        result.append(integer: try await later(payload.count) * 7)
    },
    Handler.asyncBytes("async-raw-prepared", prepare: { 8 }) { payload, result, base, _ in
        result.append(integer: try await later(payload.count) * base)
    },
    Handler.asyncBytes("async-raw-both", prepare: { 8 }, worker: { $0 + 10 }) { payload, result, base, _ in
        result.append(integer: try await later(payload.count) * base)
    },
    Handler.asyncBytes("async-broken") { _, result, _ in result.append(UInt8(try await later(123))) },
    /// How many jobs run, after so many tasks have counted at once.
    Handler("async-crowd") { (tasks: Int, context) -> Int in
        let jobs = jobsAtOnce.add(1, ordering: .relaxed).newValue
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    context.add(to: "tasks")
                    context.report(message: try await later("here"))
                }
            }
            try await group.waitForAll()
        }
        jobsAtOnce.subtract(1, ordering: .relaxed)
        return jobs
    },
]

Zygote.runIfRequested(
    arguments: CommandLine.arguments,
    handlers: [
        steps, badPreparation, threaded, badStep, file, talk, twice, closer, quitter, patient, asyncPatient, files,
        burn,
        daemon, signals, tally, whoami,
    ] + async + DemoHandlers.all)
print("This program only serves the tests of WorkerKit.")
