// As a zygote: commands that its setup describes. Otherwise a worker without a server: runs the command that its arguments say (lines or exec, and the words) for each line of its standard input,
// and prints each outcome: "ok" and the result, or "failed" and the message.
import CommandHandlers
import Glibc
import JSONBytes
import JobModel
import Platform
import WorkerKit

struct PrintedOutcomes: JobOutcomes, ~Copyable {
    let maximumResultBytes = 1 << 20

    mutating func report(_ result: [UInt8]) { print("ok \(String(decoding: result, as: UTF8.self))") }
    mutating func report(_ failure: Failure) { print("failed \(failure.message)") }
}

let arguments = CommandLine.arguments
Zygote.runIfRequested(arguments: arguments, handlers: []) { commands in
    CommandHandlers.handlers(from: try commands.map { try CommandSpecification(parsing: JSON(trusted: $0).value) })
}
guard arguments.count > 2, let kind = CommandSpecification.Kind(rawValue: arguments[1]) else {
    CurrentProcess.exit(2)
}
CurrentProcess.bufferOutputByLines()
ChildProcess.lead(0)
let specification = try CommandSpecification(
    name: "work", kind: kind, words: Array(arguments.dropFirst(2)), serviceEnvironment: CurrentProcess.environment(),
    currentFolder: "/")
let pipeline = CommandHandlers.pipelineOfWorker(for: specification, offspring: Offspring())
var outcomes = PrintedOutcomes()
var index = 0
while let payload = readLine() {
    let context = JobContext(batch: BatchID(ULID(high: 1, low: 2)), index: index, attempt: 1)
    try Array(payload.utf8).withUnsafeBytes { try pipeline.take($0, context, &outcomes) }
    try pipeline.finish(&outcomes)
    index += 1
}
