import CSystem
import Glibc

/// What `/proc` says about a process; nil if it is gone.
package enum ProcessStatus {
    /// The memory that it holds now, shared pages included.
    package static func residentBytes(of process: Int32) -> Int64? {
        guard let text = SmallFile.read("/proc/\(process)/statm", limit: 256) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// The most memory that it has held at once, since that was last forgotten; also of a child that has ended and was not reaped yet.
    package static func peakResidentBytes(of process: Int32) -> Int64? {
        guard let text = SmallFile.read("/proc/\(process)/status", limit: 4096) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let fields = line?.split(whereSeparator: \.isWhitespace) ?? []
        guard !fields.isEmpty else {
            // Its memory is gone already, so it has ended or will in a moment.
            _ = csystem_await_end(process, 100)
            let peak = csystem_peak_of_ended(process)
            return peak > 0 ? peak : nil
        }
        return fields.count == 3 ? Int64(fields[1]).map { $0 * 1024 } : nil
    }

    /// Whether a signal has stopped it (SIGSTOP, or a terminal's).
    package static func isStopped(_ process: Int32) -> Bool? {
        // The name stands in brackets and may hold anything, brackets too.
        guard let text = SmallFile.read("/proc/\(process)/stat", limit: 512), let name = text.lastIndex(of: ")") else {
            return nil
        }
        return text[name...].dropFirst(2).first == "T"
    }

    /// The children of this process, those that it has adopted among them.
    package static func children() -> [Int32] {
        guard let folder = opendir("/proc/self/task") else { return [] }
        defer { closedir(folder) }
        var children: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil, let text = SmallFile.read("/proc/self/task/\(name)/children") else { continue }
            children += text.split(separator: " ").compactMap { Int32($0) }
        }
        return children
    }

    /// Whether a process was started with this entry (`NAME=value`) in its environment.
    package static func hasEnvironmentEntry(_ entry: String, _ process: Int32) -> Bool {
        guard let text = SmallFile.read("/proc/\(process)/environ", limit: 1 << 20) else { return false }
        return text.split(separator: "\0").contains { $0 == entry }
    }
}
