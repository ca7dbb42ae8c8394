import ArgumentParser

/// The commands that speak HTTP to a running service.
enum ClientCommands {
    static let all: [any ParsableCommand.Type] = [
        SubmitCommand.self, MapCommand.self, StatusCommand.self, WatchCommand.self, ResultsCommand.self,
        CancelCommand.self, HandlersCommand.self, QueuesCommand.self, PoolCommand.self,
    ]
}

/// A command that can fail as a client fails: with lines for a person and an exit status that says why.
protocol ClientCommand: ParsableCommand {
    func perform() throws
}

extension ClientCommand {
    func run() throws {
        do {
            try perform()
        } catch let failure as ClientFailure {
            for line in failure.lines { Output.note(line) }
            throw ExitCode(failure.status)
        }
    }
}
