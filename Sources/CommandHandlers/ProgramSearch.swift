import Glibc

/// Finds a command's program when the command is registered, so that one that is missing is noticed at once.
enum ProgramSearch {
    static let usualPath = "/usr/local/bin:/usr/bin:/bin"

    /// - Parameters:
    ///   - name: with a slash in it, a path; otherwise looked up.
    ///   - path: folders with colons between them.
    ///   - folder: what relative paths start from.
    /// - Returns: an absolute path of an executable file.
    static func find(_ name: String, path: String, from folder: String) throws(CommandError) -> String {
        if name.contains("/") {
            let file = absolute(name, from: folder)
            switch kind(of: file) {
            case .executable: return file
            case .missing: throw CommandError("there is no program \(file)")
            case .folder: throw CommandError("\(file) is a folder, not a program")
            case .notExecutable: throw CommandError("\(file) is not executable: chmod +x makes it so")
            }
        }
        var seen: String?
        for entry in path.split(separator: ":") {
            let file = absolute("\(entry)/\(name)", from: folder)
            switch kind(of: file) {
            case .executable: return file
            case .notExecutable: seen = seen ?? file
            case .missing, .folder: continue
            }
        }
        if let seen { throw CommandError("\(seen) is not executable: chmod +x makes it so") }
        throw CommandError("there is no program \(name) in PATH (\(path))")
    }

    static func absolute(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    static func isFolder(_ path: String) -> Bool { kind(of: path) == .folder }

    private enum Kind { case executable, notExecutable, folder, missing }

    private static func kind(of path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        if status.st_mode & S_IFMT == S_IFDIR { return .folder }
        return status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0 ? .executable : .notExecutable
    }
}
