/// The Python program that is zygote and worker. It is carried inside of this one, so that there is no file to find or to lose.
enum Runner {
    static let source = String(decoding: PackageResources.jobmill_runner_py, as: UTF8.self)

    /// What the interpreter gets as its program: it receives the setup, with the source in it, and runs that under a name that
    /// tracebacks can show. Nothing of the current folder is imported meanwhile.
    static let bootstrap = """
        import sys
        if sys.path[:1] == [""]: del sys.path[0]
        import json, socket, types
        channel = socket.socket(fileno=3)
        setup = json.loads(channel.recv(1 << 18)[1:].decode())
        if sys.version_info < (3, 9):
            reason = b"Python %d.%d is too old, 3.9 or newer is needed" % sys.version_info[:2]
            channel.send(b"\\2" + len(reason).to_bytes(4, "little") + reason)
            sys.exit(1)
        runner = sys.modules["jobmill_runner"] = types.ModuleType("jobmill_runner")
        exec(compile(setup["source"], "jobmill_runner.py", "exec"), runner.__dict__)
        runner.main(channel, setup)
        """
}
