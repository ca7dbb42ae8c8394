import Glibc
package import Platform
package import WorkerKit

/// The folders that jobs may read and write in, and nothing else. Decided for each path when it is opened, by opening it.
package struct FileRoots: Sendable {
    private struct Root: Sendable {
        /// Without symbolic links.
        let real: String
        /// As it was given, made absolute.
        let given: String
    }

    private let roots: [Root]

    /// - Parameter folders: existing folders; relative paths of jobs are relative to the first one. None: every job is refused.
    package init(_ folders: [String]) throws(SystemError) {
        var roots: [Root] = []
        for folder in folders {
            guard let resolved = realpath(folder, nil) else { throw SystemError("the folder \(folder)") }
            defer { free(resolved) }
            let real = String(cString: resolved)
            _ = try Self.openRoot(real)
            roots.append(Root(real: real, given: folder.hasPrefix("/") ? Self.trimmed(folder) : real))
        }
        self.roots = roots
    }

    /// The folders that the service was started with: `JOBMILL_FILES`, with colons between. What is no folder any more is left
    /// out, and the jobs that want to go there are refused.
    package static func fromEnvironment() -> FileRoots {
        let folders = getenv("JOBMILL_FILES").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        return FileRoots(roots: folders.flatMap { (try? FileRoots([$0]))?.roots ?? [] })
    }

    private init(roots: [Root]) { self.roots = roots }

    /// Opens an existing regular file for reading.
    package func openFile(_ path: String) throws(JobError) -> Descriptor {
        let place = try locate(path)
        do throws(SystemError) {
            let root = try Self.openRoot(place.root)
            // Not blocking: a pipe without a writer would hang here.
            let file = try Beneath.open(place.path, in: root, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw SystemError("fstat") }
            guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", code: EISDIR) }
            return file
        } catch {
            throw refusal(of: path, error)
        }
    }

    /// Opens a folder to write in, and makes it and those above it if they are missing.
    package func openFolder(_ path: String) throws(JobError) -> Descriptor {
        let place = try locate(path)
        do throws(SystemError) {
            return try Self.openFolder(place.path, in: try Self.openRoot(place.root))
        } catch {
            throw refusal(of: path, error)
        }
    }

    private static func openFolder(_ path: String, in root: borrowing Descriptor) throws(SystemError) -> Descriptor {
        do {
            return try Beneath.open(path, in: root, flags: O_RDONLY | O_DIRECTORY)
        } catch  where error.code == ENOENT {
            let (parent, name) = split(path)
            guard !name.isEmpty else { throw error }
            let folder = try openFolder(parent, in: root)
            // Somebody else may have made it just now.
            guard mkdirat(folder.rawValue, name, 0o777) == 0 || errno == EEXIST else { throw SystemError("mkdir") }
            return try Beneath.open(path, in: root, flags: O_RDONLY | O_DIRECTORY)
        }
    }

    /// Which root a path belongs to, and where it is there. That it stays there is only decided when it is opened.
    private func locate(_ path: String) throws(JobError) -> (root: String, path: String) {
        guard let first = roots.first else {
            throw JobError("no folder is open to jobs: the service was started without --files", type: "NoFiles")
        }
        guard path.hasPrefix("/") else { return (first.real, path) }
        for root in roots {
            for folder in [root.real, root.given] {
                if path == folder { return (root.real, ".") }
                guard path.hasPrefix(folder == "/" ? folder : folder + "/") else { continue }
                let rest = path.dropFirst(folder.count).drop { $0 == "/" }
                return (root.real, rest.isEmpty ? "." : String(rest))
            }
        }
        throw outside(path)
    }

    private func outside(_ path: String) -> JobError {
        JobError("\(path) is outside of the folders that --files names", type: "OutsideOfFiles")
    }

    func refusal(of path: String, _ error: SystemError) -> JobError {
        switch error.code {
        case EXDEV, ELOOP: outside(path)
        case ENOENT: JobError("\(path) does not exist", type: "FileNotFound")
        case EISDIR: JobError("\(path) is not a file", type: "NotAFile")
        default: JobError("\(path) cannot be opened: \(String(cString: strerror(error.code)))", type: "FileError")
        }
    }

    private static func openRoot(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(
            adopting: try retryingOnInterrupt("the folder \(path)") { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    /// The folder and the last name of a path without slashes at its end.
    static func split(_ path: String) -> (folder: String, name: String) {
        let path = trimmed(path)
        guard let slash = path.lastIndex(of: "/") else { return (".", path == "." ? "" : path) }
        let folder = trimmed(String(path[..<slash]))
        return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
    }

    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.count > 1 && path.last == "/" { path.removeLast() }
        return String(path)
    }
}
