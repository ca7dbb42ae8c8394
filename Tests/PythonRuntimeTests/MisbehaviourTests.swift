import Foundation
import Glibc
import JobModel
import Platform
import Testing
import WorkerKit

@Suite struct MisbehaviourTests {
    private static let functions = """
        import ctypes, os, signal, sys, threading, time, weakref

        def do(what, context):
            if what == "exit": os._exit(7)
            if what == "crash": ctypes.string_at(0)
            if what == "close output": os.close(1)
            if what == "close stream": sys.stdout.close()
            if what == "close all": os.closerange(0, 1000)
            if what == "find the page":
                names = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
                return [name for name in names if os.path.islink(name) and "memfd" in os.readlink(name)]
            if what == "print": print("half a line", end="")
            if what == "surrogate": print("\\ud800")
            if what == "big": return "x" * 300_000
            if what == "burn":
                while True: pass
            if what == "open": return len([os.open("/dev/null", 0) for _ in range(100)])
            if what == "count": context.add("a", 2)
            if what == "nap": time.sleep(0.02)
            if what == "signal": os.kill(os.getpid(), signal.SIGTERM)
            if what == "wait":
                context.cancelled
                context.progress(message="waits")
                while not context.cancelled: time.sleep(0.001)
            if what == "speak as a child":
                if os.fork() == 0:
                    for speak in context.add, context.progress:
                        try: speak("a") if speak == context.add else speak(0.5)
                        except RuntimeError as error: print(error)
                    context.logger.info("from the child")
                    return "child"
                os.wait()
            if what == "garbage":
                for number in range(3, 64):
                    try: os.write(number, b"\\xff" * 64)
                    except OSError: pass
            if what == "fork behind Python's back":
                child = ctypes.CDLL(None).fork()
                if child: os.waitpid(child, 0)
            if what == "key":
                key = Key("k")
                kept.append(weakref.ref(key))
                return {key: 1}
            if what == "is it kept?": return kept[0]() is not None
            if what == "keep": kept.append(context)
            if what == "late":
                kept[0].progress(0.5, "late")
                kept[0].add("late")
            if what == "daemon":
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        open("daemon", "w").write(str(os.getpid()))
                        os.rename("daemon", "daemon.pid")
                        time.sleep(600)
                    os._exit(0)
                while not os.path.exists("daemon.pid"): time.sleep(0.001)
            return what

        class Key(str): pass
        kept = []
        """

    private func worker() throws -> (TestZygote, TestWorker) {
        try TestZygote.worker(MisbehaviourTests.functions, functions: ["do"])
    }

    private func run(_ worker: TestWorker, _ jobs: String..., limits: ChunkLimits = TestWorker.unlimited) throws
        -> TestWorker.Course
    {
        try worker.run("do", jobs.map { "\"\($0)\"" }, limits: limits)
    }

    @Test func strayWritesAndForksChangeNobodysOutcome() throws {
        let (zygote, worker) = try worker()
        defer { withExtendedLifetime(zygote) {} }
        for what in ["garbage", "fork behind Python's back"] {
            let course = try run(worker, "a", what, "b", "c")
            #expect(course.results == #"["a","\#(what)","b","c"]"#)
            #expect(course.isDone)
        }
    }

    @Test func aResultIsNotKept() throws {
        let (zygote, worker) = try worker()
        defer { withExtendedLifetime(zygote) {} }
        #expect(try run(worker, "key", "a", "is it kept?").results == #"[{"k":1},"a",false]"#)
    }

    @Test func aContextThatHasOutlivedItsJobSaysNothing() throws {
        let (zygote, worker) = try worker()
        defer { withExtendedLifetime(zygote) {} }
        let course = try run(worker, "keep", "late", "count")
        #expect(course.results == #"["keep","late","count"]"#)
        #expect(course.progress.isEmpty)
        #expect(course.counters == ["a": 2])
    }

    @Test func deathsInTheMiddleOfAJobLeaveTheOthersOutcomes() throws {
        for (what, code, signal) in [("exit", Int32(7), Int32?.none), ("crash", nil, SIGSEGV)]
            as [(String, Int32?, Int32?)]
        {
            let (zygote, worker) = try worker()
            let course = try run(worker, "count", "a", what, "b")
            #expect(!course.isDone && course.runs.isEmpty)
            let exit = try zygote.exit()
            #expect(exit.exitCode == code && exit.signal == signal)
            #expect(exit.cpuSeconds > 0 && exit.peakResidentBytes > 1 << 20)
            #expect(worker.page.runningJob()?.position == 2)
            let unsent = try worker.page.unsentOutcomes(of: 1)
            #expect(unsent.first == 0)
            #expect(unsent.runs == [.succeeded(count: 2, body: Array(#""count","a""#.utf8))])
            let counted = course.counted + (try worker.page.unsentCounters()?.deltas ?? [])
            #expect(counted == [CounterDelta(name: "a", amount: 2)])
            if what == "crash" { #expect(worker.complained.contains("tasks.py\", line 5 in do")) }
        }
    }

    @Test func whatIsPrintedIsNoProtocol() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "print", "a").results == #"["print","a"]"#)
        #expect(try run(worker, "surrogate").results == #"["surrogate"]"#)
        worker.hangUp()
        #expect(try zygote.exit().exitCode == 0)
        #expect(worker.printed == "half a line\\ud800\n")
    }

    @Test func childrenOfAJobDoNotSpeakForIt() throws {
        let (zygote, worker) = try worker()
        let course = try run(worker, "speak as a child", "a")
        #expect(course.results == #"["speak as a child","a"]"# && course.isDone)
        #expect(course.counted.isEmpty && course.progress.isEmpty && course.logged.isEmpty)
        worker.hangUp()
        #expect(try zygote.exit().exitCode == 0)
        #expect(worker.printed.components(separatedBy: "only that one speaks for it\n").count == 3)
        #expect(worker.complained == "from the child\n")
    }

    @Test func closedStreamsAreMissedByNobody() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "close stream", "print").results == #"["close stream","print"]"#)
        // The next one would have nothing to print to: another worker has.
        let course = try run(worker, "nap", "close output", "nap", "print")
        #expect(!course.isDone)
        #expect(course.results.hasPrefix(#"["nap","close output""#) && course.failures.isEmpty)
        #expect(try zygote.exit().exitCode == 0)
        #expect(worker.page.runningJob() == nil)
        #expect(worker.printed == "half a line")
    }

    @Test func thePageIsOutOfReach() throws {
        let (zygote, worker) = try worker()
        defer { withExtendedLifetime(zygote) {} }
        #expect(try run(worker, "find the page").results == "[[]]")
    }

    @Test func closedDescriptorsLoseNoOutcome() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "nap", "close all", "a").runs.isEmpty)
        #expect(try zygote.exit().exitCode == 70)
        // The last one may have run before that was seen.
        #expect((2...3).contains(try worker.page.unsentOutcomes(of: 1).runs.reduce(0) { $0 + $1.count }))
    }

    @Test func largeResultsTakeTheirOwnWay() throws {
        let (zygote, worker) = try worker()
        defer { withExtendedLifetime(zygote) {} }
        let course = try run(worker, "a", "big", "b", "big", "big", "c")
        #expect(course.isDone)
        #expect(course.runs.map(\.count) == [1, 1, 1, 1, 1, 1])
        #expect(course.results.utf8.count == 3 * 300_002 + 3 * 3 + 5 + 2)
    }

    @Test func limitsOfTheKernel() throws {
        let (zygote, worker) = try worker()
        let few = ChunkLimits(openFiles: 40, maximumResultBytes: 1000)
        #expect(try run(worker, "open", limits: few).failures.map(\.type) == ["OSError"])
        #expect(try run(worker, "open").results == "[100]")
        let short = ChunkLimits(cpuSeconds: 0.1, maximumResultBytes: 1000)
        #expect(try run(worker, "a", "burn", limits: short).isDone == false)
        #expect(try zygote.exit().signal == SIGXCPU)
    }

    @Test func cancellationKillsOrIsSeen() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "a", "signal").runs.isEmpty)
        #expect(try zygote.exit().signal == SIGTERM)

        let patient = try zygote.fork()
        #expect(try patient.frame() == .ready)
        let chunk = try patient.send("do", [TestWorker.part([#""wait""#, #""a""#])])
        #expect(try patient.frame() == .progress(chunk: chunk, position: 0, JobProgress(message: "waits")))
        ChildProcess.signalGroup(patient.process, SIGTERM)
        let course = try patient.course(of: chunk)
        #expect(course.results == #"["wait"]"# && !course.isDone)
        #expect(try zygote.exit().exitCode == 0)
    }

    @Test func whatAWorkerLeavesBehindEndsWithIt() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "daemon").results == #"["daemon"]"#)
        let text = try String(contentsOfFile: zygote.folder + "/daemon.pid", encoding: .utf8)
        let daemon = try #require(Int32(text))
        #expect(kill(daemon, 0) == 0)
        worker.hangUp()
        #expect(try zygote.exit().exitCode == 0)
        try waitForEnd(of: daemon)
    }

    @Test func theEndOfTheChannelEndsEverything() throws {
        let (zygote, worker) = try worker()
        #expect(try run(worker, "daemon").isDone)
        let daemon = try #require(Int32(try String(contentsOfFile: zygote.folder + "/daemon.pid", encoding: .utf8)))
        try worker.send("do", [TestWorker.part([#""burn""#])])
        zygote.closeChannel()
        #expect(try zygote.end()?.exitCode == 0)
        #expect(kill(worker.process, 0) != 0 && kill(daemon, 0) != 0)
    }

    @Test func workersDieWithTheirZygote() throws {
        let (zygote, worker) = try worker()
        kill(zygote.process, SIGKILL)
        #expect(try zygote.end()?.signal == SIGKILL)
        try waitForEnd(of: worker.process)
        #expect(try worker.frame() == nil)
    }

    /// A process that is somebody else's child ends a moment after it was killed.
    private func waitForEnd(of process: Int32) throws {
        let deadline = Date() + 10
        while kill(process, 0) == 0, !isZombie(process) {
            guard Date() < deadline else { throw Silence() }
            usleep(1000)
        }
    }

    /// Whether it waits for a parent that reaps it.
    private func isZombie(_ process: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return status.split(separator: ")").last?.hasPrefix(" Z") ?? false
    }
}
