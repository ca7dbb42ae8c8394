/// A handler that is a command: what is run, and how it gets its jobs.
package struct CommandSpecification: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// One process for many jobs: a line of JSON for each job, a line of JSON for each outcome.
        case lines
        /// A process for each job: the payload on standard input, the result on standard output.
        case exec
    }

    /// What requests name the handler by.
    package let name: String
    package let kind: Kind
    /// The absolute path of the program.
    package let program: String
    /// The words of the command; the first one is the program as it was written.
    package let arguments: [String]
    /// Added to the service's environment, or in place of what is there.
    package let environment: [String: String]
    /// Absolute; nil: where the service was started.
    package let workingFolder: String?

    /// Takes what was checked before.
    init(
        name: String, kind: Kind, program: String, arguments: [String], environment: [String: String],
        workingFolder: String?
    ) {
        self.name = name
        self.kind = kind
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.workingFolder = workingFolder
    }

    /// Finds the program of a command in `PATH`. To be called when the service starts, so that a mistake shows then.
    ///
    /// - Parameters:
    ///   - words: see `CommandText`; the first is the program.
    ///   - environment: what the command gets in addition; its `PATH` counts in the search, too.
    ///   - workingFolder: where it runs, and what relative paths of the program start from; itself relative to `currentFolder`.
    ///   - serviceEnvironment: of the service; only `PATH` is used.
    ///   - currentFolder: of the service, absolute.
    package init(
        name: String, kind: Kind, words: [String], environment: [String: String] = [:], workingFolder: String? = nil,
        serviceEnvironment: [String: String], currentFolder: String
    ) throws(CommandError) {
        try CommandSpecification.check(environment: environment)
        let folder = workingFolder.map { ProgramSearch.absolute($0, from: currentFolder) }
        if let folder, !ProgramSearch.isFolder(folder) { throw CommandError("there is no folder \(folder)") }
        let program = try CommandSpecification.findProgram(
            of: words, environment: environment, serviceEnvironment: serviceEnvironment, from: folder ?? currentFolder)
        self.init(
            name: name, kind: kind, program: program, arguments: words, environment: environment,
            workingFolder: folder)
    }

    /// Whether a command may get this beside the service's environment.
    package static func check(environment: [String: String]) throws(CommandError) {
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
            try CommandEnvironment.check(variable, value)
        }
    }

    /// Finds the program of a command. See the other one.
    @discardableResult
    package static func findProgram(
        of words: [String], environment: [String: String], serviceEnvironment: [String: String], from folder: String
    ) throws(CommandError) -> String {
        guard let first = words.first, !first.isEmpty else { throw CommandError("the command is empty") }
        return try findProgram(
            first, environment: environment, serviceEnvironment: serviceEnvironment, from: folder)
    }

    /// Finds a program in `PATH`, or where its path says that it is.
    ///
    /// - Parameters:
    ///   - environment: what the program gets beside the service's.
    ///   - folder: what a relative path starts from.
    /// - Returns: its absolute path.
    @discardableResult
    package static func findProgram(
        _ name: String, environment: [String: String] = [:], serviceEnvironment: [String: String], from folder: String
    ) throws(CommandError) -> String {
        let path = environment["PATH"] ?? serviceEnvironment["PATH"] ?? ProgramSearch.usualPath
        return try ProgramSearch.find(name, path: path, from: folder)
    }
}
