import Foundation
import Glibc
import Yams

extension Settings {
    /// Where the file is looked for if nobody says.
    static let usualFile = "jobmill.yaml"

    /// Reads a file.
    /// - Throws: what is wrong with the file as a whole. What is wrong in it is reported.
    init(readingFile path: String, report: ConfigurationReport) throws(ConfigurationError) {
        try self.init(yaml: try Settings.text(ofFile: path), file: path, report: report)
    }

    /// - Parameter file: its name, for messages and relative paths, which are meant from its folder.
    /// - Throws: what keeps the file from being read at all.
    init(yaml text: String, file name: String, report: ConfigurationReport) throws(ConfigurationError) {
        self.init()
        let file = ConfigurationFile(name: name, report: report)
        switch try YAMLDocument.root(of: text, in: file) {
        // A file of comments only.
        case nil: return
        case .some(let node) where node.isEmpty: return
        case .some(let node):
            guard let mapping = node.mapping else {
                throw ConfigurationError(problems: [
                    ConfigurationProblem(
                        file.place(line: node.mark?.line, path: []),
                        "must be settings: one \"key: value\" on each line")
                ])
            }
            read(ConfigurationSection(mapping, at: [], of: file))
        }
        places = file.places
        resolvePaths(from: URL(fileURLWithPath: name).deletingLastPathComponent())
    }

    private static func text(ofFile path: String) throws(ConfigurationError) -> String {
        func refusal(_ message: String) -> ConfigurationError {
            ConfigurationError(problems: [ConfigurationProblem(source: path, message)])
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw refusal("there is no such file")
        }
        if isFolder.boolValue { throw refusal("this is a folder: name the file, such as \(path)/\(usualFile)") }
        // No settings at all, not even those of the usual file.
        if path == "/dev/null" { return "" }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refusal("this is no regular file, and SIGHUP reads settings again: write them into one")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw refusal("the file cannot be read: \(error.localizedDescription)")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw refusal("the file is no UTF-8 text") }
        return text
    }

    private mutating func read(_ section: ConfigurationSection) {
        listen = section.text("listen")
        data = section.text("data")
        workers = section.text("workers") == "auto" ? nil : section.integer("workers", in: 1...1024)
        demo = section.boolean("demo")
        files = section.texts("files")
        tokenFile = section.text("token_file")
        grace = section.duration("grace", from: 0, to: 604_800)
        defaultTimeout = section.duration("default_timeout", from: 0, to: 604_800)
        maximumBodyBytes = section.size("max_body", from: 1 << 20, to: 1 << 32)
        allowsPrivateWebhooks = section.boolean("allow_private_webhooks")
        insecureNoToken = section.boolean("insecure_no_token")
        if let part = section.section("handlers") {
            for name in part.keys {
                guard let entry = part.section(name, isNeeded: true) else { continue }
                handlers.append(HandlerSettings(name: name, entry))
            }
            part.finish()
        }
        if let part = section.section("queues") {
            for name in part.keys {
                guard let entry = part.section(name) else { continue }
                queues.append(QueueRule(name: name, entry))
            }
            part.finish()
        }
        section.finish()
    }

    private mutating func resolvePaths(from folder: URL) {
        func resolve(_ path: String) -> String {
            URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
        }
        data = data.map(resolve)
        files = files.map { $0.map(resolve) }
        tokenFile = tokenFile.map(resolve)
        for index in handlers.indices {
            handlers[index].folder = handlers[index].folder.map(resolve)
            // A bare name is looked up in PATH.
            switch handlers[index].runtime {
            case .python(var python) where python.interpreter.contains("/"):
                python.interpreter = resolve(python.interpreter)
                handlers[index].runtime = .python(python)
            case .unreadable(let interpreter?) where interpreter.contains("/"):
                handlers[index].runtime = .unreadable(interpreter: resolve(interpreter))
            default: break
            }
        }
    }
}
