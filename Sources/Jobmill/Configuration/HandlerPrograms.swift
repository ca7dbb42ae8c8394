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
            if let folder = handler.folder, !FileRoot.isFolder(folder) {
                report.add(settings.place(of: handler, "folder"), "there is no folder \(folder); make it first")
            } else if case .python(let python) = handler.runtime {
                check(handler, python)
            } else {
                checkCommand(handler)
            }
        }
    }

    private func check(_ handler: HandlerSettings, _ python: HandlerSettings.PythonSettings) {
        do throws(CommandError) {
            try CommandSpecification.findProgram(
                python.interpreter, serviceEnvironment: environment,
                from: FileManager.default.currentDirectoryPath)
        } catch {
            report.add(
                settings.place(of: handler, "interpreter"), "\(error.message); name a Python of version 3.9 or newer")
        }
        do throws(PythonDefinitionError) {
            _ = try PythonRuntime.runtimes(for: [handler.pythonHandler(python)])
        } catch {
            report.add(settings.place(of: handler, "initializer"), error.description)
        }
    }

    private func checkCommand(_ handler: HandlerSettings) {
        do throws(CommandError) {
            _ = try handler.commandSpecification(environment: environment)
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
        case .compiledIn, .python: nil
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
