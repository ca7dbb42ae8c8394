import Glibc
import Platform
import Synchronization

/// The processes that a worker's commands have started and left behind.
///
/// A process whose parent has ended becomes a child of the worker. Whatever the worker has as a child and did not start itself, or does
/// not need any more, ends with the job: it would hold memory and files of a job that is over.
package final class Offspring: Sendable {
    /// Processes that stay from job to job.
    private let residents = Mutex<Set<Int32>>([])

    package init() {}

    /// To be called in the worker, before the first command.
    func adopt() {
        // Without it, orphans go to the zygote, which ends them with the worker.
        try? CurrentProcess.adoptOrphans()
    }

    func settle(_ process: Int32) { residents.withLock { _ = $0.insert(process) } }

    func unsettle(_ process: Int32) { residents.withLock { _ = $0.remove(process) } }

    /// Ends the residents, but for one.
    func endResidents(but process: Int32) {
        for resident in residents.withLock({ $0 }) where resident != process { ChildProcess.signal(resident, SIGKILL) }
    }

    /// Ends all children but the residents.
    func endOrphans() throws(SystemError) {
        // One that dies may leave children of its own; one that forks without end is left to the job's time-out.
        for _ in 0..<100 {
            // In most cases there is nobody, which costs one system call to know.
            guard ChildProcess.exist() else { return }
            let residents = residents.withLock { $0 }
            let orphans = ProcessStatus.children().filter { !residents.contains($0) }
            if orphans.isEmpty { return }
            for orphan in orphans { ChildProcess.signal(orphan, SIGKILL) }
            for orphan in orphans { _ = try ChildProcess.awaitEnd(of: orphan) }
        }
    }
}
