import CSystem
import Glibc

// What a forked worker, and the process that forks it, arrange for themselves.

extension CurrentProcess {
    /// Takes `dieWithParent` back: this process will notice its parent's end by other means.
    package static func outliveParent() throws(SystemError) {
        guard csystem_outlive_parent() == 0 else { throw SystemError("prctl(PR_SET_PDEATHSIG)") }
    }

    /// Blocks every signal for the calling thread until `restoreSignals`; what is forked meanwhile is born with all blocked, and
    /// loses none that come before it has taken its own measures.
    package static func blockSignals() -> SignalMask {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        sigprocmask(SIG_SETMASK, &all, &before)
        return SignalMask(set: before)
    }

    package static func restoreSignals(_ mask: SignalMask) {
        var set = mask.set
        sigprocmask(SIG_SETMASK, &set, nil)
    }

    package struct SignalMask {
        fileprivate let set: sigset_t
    }

    /// The signals by which somebody asks a process to end.
    package static func ignoreTermination() { ignoreSignals([SIGTERM, SIGINT, SIGHUP, SIGQUIT]) }

    /// A second descriptor with this number for the same thing; what was there is closed, and the new one is closed on exec.
    package static func copy(
        _ descriptor: borrowing Descriptor, to number: Int32
    ) throws(SystemError) -> Descriptor {
        let source = descriptor.rawValue
        if source == number { throw SystemError("dup3", code: EINVAL) }
        try retryingOnInterrupt("dup3") { csystem_copy_descriptor(source, number) }
        return Descriptor(adopting: number)
    }

    /// Writes out what C's standard output holds back.
    package static func flushOutput() { csystem_flush_output() }

    /// The descriptors from `lowest` on that are open.
    package static func openDescriptors(from lowest: Int32) -> [Int32] {
        guard let folder = opendir("/proc/self/fd") else { return [] }
        defer { closedir(folder) }
        let own = dirfd(folder)
        var numbers: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name), number >= lowest, number != own { numbers.append(number) }
        }
        return numbers.sorted()
    }

    /// Closes every descriptor from `lowest` on but those of `kept`, which is sorted.
    package static func closeDescriptors(from lowest: Int32, except kept: [Int32] = []) throws(SystemError) {
        var next = lowest
        for number in kept + [.max] where number >= next {
            if number > next || number == .max {
                let last = number == .max ? number : number - 1
                guard csystem_close_range(next, last) == 0 else { throw SystemError("close_range") }
            }
            if number < .max { next = number + 1 }
        }
    }
}

extension ChildProcess {
    /// The children of this process's first thread, also those that it has adopted and those that are not reaped. The kernel
    /// may leave some out while others end: ask again.
    package static func children() -> [Int32] {
        let list = SmallFile.read("/proc/self/task/\(getpid())/children", limit: 1 << 20) ?? ""
        return list.split(separator: " ").compactMap { Int32($0) }
    }

    /// Which process group a process is in; nil if it is gone.
    package static func group(of process: Int32) -> Int32? {
        let group = getpgid(process)
        return group >= 0 ? group : nil
    }
}
