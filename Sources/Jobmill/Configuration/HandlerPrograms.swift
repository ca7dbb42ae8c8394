import CommandHandlers
import Foundation
import PythonRuntime

/// Looks whether what runs the handlers is there: interpreters, programs and folders. What a Python module holds only Python can tell,
/// when it runs.
struct HandlerPrograms {
    private let settings: Settings
    private let environment: [String: String]
    private let report: ConfigurationReport

    init(_ settings: Settings, environment: [String: String], report: ConfigurationReport) {
        self.settings = settings
        self.environment = environment
        self.report = report
    }

    func check(_ handlers: [HandlerSettings]) {
        for handler in handlers where handler.runtime != .compiledIn {
            let isFolderMissing = handler.folder.map { !FileRoot.isFolder($0) } ?? false
            if isFolderMissing, let folder = handler.folder {
                report.add(settings.place(of: handler, "folder"), "there is no folder \(folder); make it first")
            }
            switch handler.runtime {
            case .compiledIn: break
            case .python(let python): checkInterpreter(python.interpreter, of: handler)
            case .unreadable(let interpreter): if let interpreter { checkInterpreter(interpreter, of: handler) }
            case .lines(let words), .exec(let words):
                checkEnvironment(of: handler)
                // A relative path counts from the folder.
                let isRelative = words.first.map { $0.contains("/") && !$0.hasPrefix("/") } ?? false
                if !isFolderMissing || !isRelative { checkProgram(words, of: handler) }
            }
        }
    }

    private func checkInterpreter(_ interpreter: String, of handler: HandlerSettings) {
        do throws(CommandError) {
            try CommandSpecification.findProgram(
                interpreter, serviceEnvironment: environment, from: FileManager.default.currentDirectoryPath)
        } catch {
            report.add(
                settings.place(of: handler, "interpreter"), "\(error.message); name a Python of version 3.9 or newer")
        }
    }

    private func checkEnvironment(of handler: HandlerSettings) {
        let place = settings.place(of: handler, "environment")
        if let key = place.key, report.concerns([key]) { return }
        do throws(CommandError) {
            try CommandSpecification.check(environment: handler.environment)
        } catch {
            report.add(place, error.message)
        }
    }

    private func checkProgram(_ words: [String], of handler: HandlerSettings) {
        do throws(CommandError) {
            try CommandSpecification.findProgram(
                of: words, environment: handler.environment, serviceEnvironment: environment,
                from: handler.folder ?? FileManager.default.currentDirectoryPath)
        } catch {
            report.add(settings.place(of: handler, handler.command?.kind.rawValue), error.message)
        }
    }
}

extension HandlerSettings {
    func pythonHandler(_ python: PythonSettings) -> PythonHandler {
        PythonHandler(
            profile: profile, function: python.function, interpreter: python.interpreter, folder: folder,
            initializer: python.initializer, spreadsPayload: python.starmap, environment: environment)
    }

    /// nil for what is no command.
    var command: (kind: CommandSpecification.Kind, words: [String])? {
        switch runtime {
        case .lines(let words): (.lines, words)
        case .exec(let words): (.exec, words)
        case .compiledIn, .python, .unreadable: nil
        }
    }

    /// - Parameter environment: of the service; only `PATH` is used.
    /// - Returns: nil for what is no command.
    func commandSpecification(environment: [String: String]) throws(CommandError) -> CommandSpecification? {
        guard let command else { return nil }
        return try CommandSpecification(
            name: name, kind: command.kind, words: command.words, environment: self.environment, workingFolder: folder,
            serviceEnvironment: environment, currentFolder: FileManager.default.currentDirectoryPath)
    }
}
