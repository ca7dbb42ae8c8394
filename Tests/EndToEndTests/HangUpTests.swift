import Foundation
import Testing

/// SIGHUP with and without a terminal, against the real service. Sessions and terminals are made by a script, as a process of the
/// tests cannot have one.
@Suite struct HangUpTests {
    private static let prelude = """
        import atexit, ctypes, os, pty, sys, time
        from signal import SIGHUP, SIGKILL, SIGTERM
        folder, binary = sys.argv[1:]
        ctypes.CDLL(None).prctl(36, 1)  # The service is a child of this process when its shell has ended.

        service = 0
        atexit.register(lambda: service and os.kill(service, SIGKILL))

        def serve(*prefix):
            log = os.open(folder + "/log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            for stream in (1, 2): os.dup2(log, stream)
            command = [*prefix, binary, "serve", "--demo", "--listen", "127.0.0.1:0", "--data", folder,
                       "--port-file", folder + "/port"]
            os.execvp(command[0], command)

        def said(text): return text in open(folder + "/log").read()

        def wait(condition):
            end = time.monotonic() + 60
            while not condition():
                if time.monotonic() > end: sys.exit("in vain: " + open(folder + "/log").read())
                time.sleep(0.01)

        def exists(name): return os.path.exists(folder + "/" + name)
        def ready(): wait(lambda: exists("port"))

        # Signals that come at once are one.
        def reload():
            def is_told():
                os.kill(service, SIGHUP)
                return said("reloading handlers")
            wait(is_told)

        def stop():
            if said("stopping"): sys.exit("it stops: " + open(folder + "/log").read())
            os.kill(service, SIGTERM)
            end()

        def end():
            global service
            print(os.waitpid(service, 0)[1], said("stopping"))
            service = 0

        # A shell with a terminal, and the service as a job of it in the background.
        def shell(last_words=lambda service: None):
            child, terminal = pty.fork()
            if child == 0:
                job = os.fork()
                if job == 0:
                    os.setpgid(0, 0)
                    serve()
                os.setpgid(job, job)
                with open(folder + "/pid.new", "w") as file: file.write(str(job))
                os.rename(folder + "/pid.new", folder + "/pid")
                wait(lambda: exists("order"))
                os.kill(job, SIGHUP)
                wait(lambda: exists("leave"))
                last_words(job)
                os._exit(0)
            ready()
            return int(open(folder + "/pid").read()), child, terminal

        def tell(name): open(folder + "/" + name, "w").close()

        """

    /// - Returns: what the script has printed.
    private func run(_ script: String) throws -> String {
        let folder = try TestServer.makeTemporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.prelude + script, folder.path, TestServer.binary.path]
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("JOBMILL_") }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }

    @Test func `kill reloads a service in a session of its own`() throws {
        let script = """
            service = os.fork()
            if service == 0:
                os.setsid()
                serve()
            ready()
            reload()
            stop()
            """
        #expect(try run(script) == "0 True\n")
    }

    @Test func `with nohup a service outlives its terminal, and can be reloaded`() throws {
        let script = """
            service, terminal = pty.fork()
            if service == 0: serve("nohup")
            ready()
            os.close(terminal)
            wait(lambda: said("the service goes on"))
            reload()
            stop()
            """
        #expect(try run(script) == "0 True\n")
    }

    @Test func `a shell can reload a service, which goes on without the shell and its terminal`() throws {
        let script = """
            service, leader, terminal = shell()
            tell("order")
            wait(lambda: said("reloading handlers"))
            tell("leave")
            os.waitpid(leader, 0)
            os.close(terminal)
            os.truncate(folder + "/log", 0)
            reload()
            stop()
            """
        #expect(try run(script) == "0 True\n")
    }

    @Test func `a shell that says goodbye to its jobs stops the service`() throws {
        let script = """
            service, leader, terminal = shell(last_words=lambda job: os.kill(job, SIGHUP))
            tell("order")
            wait(lambda: said("reloading handlers"))
            tell("leave")
            os.waitpid(leader, 0)
            end()
            """
        #expect(try run(script) == "0 True\n")
    }

    /// A terminal that is closed sends the same signal, and is no wish for a reload.
    @Test func `the end of its terminal ends the service`() throws {
        let script = """
            service, terminal = pty.fork()
            if service == 0: serve()
            ready()
            os.close(terminal)
            end()
            """
        #expect(try run(script) == "0 True\n")
    }
}
