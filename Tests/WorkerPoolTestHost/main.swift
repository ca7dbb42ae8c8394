// The program whose zygote and workers the pool's tests use: the demo handlers and a few that misbehave.
import Glibc
import WorkerKit

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

Zygote.runIfRequested(
    arguments: CommandLine.arguments,
    handlers: DemoHandlers.all + [stubborn, mark, hostile, parent, letters, identity, whoami, descriptors])
print("This program only serves the tests of WorkerPool.")
