import CommandHandlers
import PythonRuntime

/// What stands behind `python:`, `lines:` and `exec:`.
enum RuntimeText {
    static func python(_ text: String) throws(Complaint) -> PythonFunction {
        do throws(PythonDefinitionError) {
            return try PythonFunction(parsing: text)
        } catch {
            throw Complaint(error.description)
        }
    }

    /// The words of a command.
    static func command(_ text: String) throws(Complaint) -> [String] {
        do throws(CommandError) {
            return try CommandText.words(text)
        } catch {
            throw Complaint(error.message)
        }
    }
}

/// What is wrong with a text that names what to run.
struct Complaint: Error {
    var sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}
