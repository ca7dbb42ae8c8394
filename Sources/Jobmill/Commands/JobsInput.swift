import Foundation
import JSONBytes

/// The payloads of a submission as they were given: on the command line, or in a file.
struct JobsInput: Equatable {
    /// JSON values with commas between them, at least one.
    let text: [UInt8]

    private init(text: [UInt8]) { self.text = text }

    /// A sentence about what is wrong.
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Each argument is one JSON value.
    init(arguments: [String]) throws(Problem) {
        guard !arguments.isEmpty else {
            throw Problem(
                description: "there are no jobs: give JSON values, or --file FILE, or --file - for standard input")
        }
        var text: [UInt8] = []
        for (index, argument) in arguments.enumerated() {
            let bytes = Array(argument.utf8)
            if let error = JobsInput.syntaxError(in: bytes[...]) {
                let hint =
                    argument.hasPrefix("--")
                    ? "; if it was meant as an option, there is no such option"
                    : "; text needs quotes that the shell leaves alone, such as '\"text\"'"
                throw Problem(
                    description: "job \(index + 1), \(Output.printable(argument)), is no JSON: \(error)\(hint)")
            }
            JobsInput.append(bytes[...], to: &text)
        }
        self.init(text: text)
    }

    /// One JSON array of jobs, or NDJSON: a job in each line that is not blank. (What begins as an array may also be lines of
    /// arrays, if it is no array as a whole.)
    init(content: [UInt8]) throws(Problem) {
        var arrayError: JSONSyntaxError?
        if content.first(where: { !JobsInput.isSpace($0) }) == UInt8(ascii: "[") {
            arrayError = JobsInput.syntaxError(in: content[...])
            if arrayError == nil {
                let text = JobsInput.trimmed(JobsInput.trimmed(content[...]).dropFirst().dropLast())
                guard !text.isEmpty else { throw Problem(description: "the array holds no jobs") }
                self.init(text: Array(text))
                return
            }
        }
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = JobsInput.trimmed(line)
            if line.isEmpty { continue }
            if let error = JobsInput.syntaxError(in: line) {
                throw Problem(
                    description: arrayError.map { "no JSON array: \($0)" } ?? "line \(index + 1) is no JSON: \(error)")
            }
            JobsInput.append(line, to: &text)
        }
        guard !text.isEmpty else { throw Problem(description: "there are no jobs in it") }
        self.init(text: text)
    }

    /// - Parameter file: a path, or `-` for standard input; nil: the arguments are the jobs.
    static func read(arguments: [String], file: String?) throws(Problem) -> JobsInput {
        guard let file else { return try JobsInput(arguments: arguments) }
        guard arguments.isEmpty else {
            throw Problem(description: "give jobs as arguments or with --file, not both: \(arguments[0])")
        }
        let content: [UInt8]
        do {
            let handle =
                file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            content = [UInt8](try handle.readToEnd() ?? Data())
        } catch {
            throw Problem(description: "\(Output.printable(file)) cannot be read: \(error.localizedDescription)")
        }
        do {
            return try JobsInput(content: content)
        } catch {
            throw Problem(description: "\(file == "-" ? "standard input" : Output.printable(file)): \(error)")
        }
    }

    private static func append(_ value: ArraySlice<UInt8>, to text: inout [UInt8]) {
        if !text.isEmpty { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: value)
    }

    /// Nil if it is exactly one JSON value.
    private static func syntaxError(in text: ArraySlice<UInt8>) -> JSONSyntaxError? {
        text.withUnsafeBytes { bytes -> JSONSyntaxError? in
            do throws(JSONSyntaxError) {
                try JSON.validate(bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return text[first...last]
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
