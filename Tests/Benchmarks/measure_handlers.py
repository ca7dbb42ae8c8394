"""Handlers in other languages: a Python function beside Pool.map, commands beside xargs, lines beside a bare pipe."""
import json
import multiprocessing
import os
import subprocess
import sys

import harness

CALLS, CALL_ROUNDS = 100_000, 15
RUNS, RUN_ROUNDS = 2_000, 3
LINES, LINE_ROUNDS = 200_000, 3

FUNCTION = '''
import hashlib

def total(order):
    """What an order comes to."""
    return {"name": order["name"], "total": order["cents"] * order["count"]}

def check(order):
    """The same with some microseconds of work."""
    digits = hashlib.sha256(order["name"].encode()).hexdigest()
    return {"name": order["name"], "check": sum(int(digit, 16) for digit in digits) % 97}
'''

# As the documentation has it: each answer leaves at once, and names its job.
ECHO = '''
import json
import sys

for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"id": job["id"], "result": job["payload"]}), flush=True)
'''

SETTINGS = f'''
handlers:
  total:
    python: benchmark_handlers:total
    interpreter: {sys.executable}
    folder: .
  check:
    python: benchmark_handlers:check
    interpreter: {sys.executable}
    folder: .
  "true":
    exec: /bin/true
  echo-lines:
    lines: {sys.executable} echo.py
    folder: .
'''


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def expect(name, answer, expected):
    if answer != expected:
        raise SystemExit(f"{name}: the answer is wrong")


def beside_pool(service, function):
    """Calls per second of a function in Pool.map, as a handler, and as a handler with the client's json.dumps and loads."""
    orders = [{"name": f"item {number % 1000}", "cents": 250, "count": number % 7} for number in range(CALLS)]
    path, array, expected = f"/v1/map/{function.__name__}", compact(orders), [function(order) for order in orders]
    answers = {}
    with multiprocessing.Pool(harness.WORKERS) as pool:

        def pool_map():
            answers["pool"] = pool.map(function, orders, chunksize=100)

        def map_request():
            answers["map"] = service.request("POST", path, array, harness.WAIT)

        def python_client():
            answers["client"] = json.loads(service.request("POST", path, compact(orders), harness.WAIT))

        for action in (pool_map, map_request):  # Nobody measures a fresh pool, nor a fresh service.
            action()
        taken = harness.interleave(CALL_ROUNDS, pool=pool_map, map=map_request, client=python_client)
    answers["map"] = json.loads(answers["map"])
    for name, answer in answers.items():
        expect(name, answer, expected)
    return {name: CALLS / time for name, time in taken.items()}


def functions(service, folder):
    sys.path.insert(0, folder)
    import benchmark_handlers

    rate = beside_pool(service, benchmark_handlers.check)
    harness.figure(f"Python function, Pool({harness.WORKERS}).map, chunks of 100", rate["pool"], "calls/s")
    harness.figure("the same as a handler, POST /v1/map", rate["map"], "calls/s")
    harness.figure("the same, with the client's json.dumps and loads", rate["client"], "calls/s")
    harness.verdict("handler / Pool", rate["map"] / rate["pool"], "", at_least=1)
    rate = beside_pool(service, benchmark_handlers.total)
    harness.figure("a function that does next to nothing, Pool", rate["pool"], "calls/s")
    harness.figure("the same as a handler", rate["map"], "calls/s")
    harness.verdict("handler / Pool", rate["map"] / rate["pool"], "", at_least=1)


def commands(service):
    nothing = compact([None] * RUNS)
    words = "\n".join(map(str, range(RUNS))).encode()

    def xargs():
        subprocess.run(["xargs", "-P", str(harness.WORKERS), "-n", "1", "/bin/true"], input=words, check=True)

    def map_request():
        expect("exec", json.loads(service.request("POST", "/v1/map/true", nothing, harness.WAIT)), [None] * RUNS)

    map_request()
    taken = harness.interleave(RUN_ROUNDS, xargs=xargs, map=map_request)
    rate = {name: RUNS / time for name, time in taken.items()}
    harness.figure(f"/bin/true, xargs -P {harness.WORKERS} -n 1", rate["xargs"], "runs/s")
    harness.figure("the same as an exec: handler, POST /v1/map", rate["map"], "runs/s")
    harness.verdict("exec: / xargs", rate["map"] / rate["xargs"], "", at_least=0.7)


class BareEcho:
    """The program of the lines: handler between two pipes that plain programs serve: its own limit."""

    def __init__(self, folder, lines):
        self.lines = lines
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(folder, "echo.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.process.stdin.write(b'{"id":"first","payload":null}\n')
        self.process.stdout.readline()  # It has started.

    def feed(self):
        self.feeder = subprocess.Popen(["cat", self.lines], stdout=self.process.stdin)
        self.counter = subprocess.Popen(["wc", "-l"], stdin=self.process.stdout, stdout=subprocess.PIPE)
        self.process.stdin.close()

    def finish(self):
        answers, _ = self.counter.communicate()
        self.process.stdout.close()
        self.feeder.wait()
        self.process.wait()
        return int(answers)


def lines(service, folder):
    workers = harness.WORKERS
    payloads = compact(list(range(LINES)))
    path = os.path.join(folder, "lines")
    job = '{"id":"job_01JFHQ8X2M6E4T0S1V3W5Y7Z9A_%d","batch":"bat_01JFHQ8X2M6E4T0S1V3W5Y7Z9A","index":%d,"attempt":1,"timeout":3600,"payload":%d}\n'
    write(path, "".join(job % (number, number, number) for number in range(LINES // workers)))

    bare, rounds = [], []
    for _ in range(LINE_ROUNDS):
        processes = [BareEcho(folder, path) for _ in range(workers)]

        def echo_alone():
            for process in processes:
                process.feed()
            expect("bare echo", sum(process.finish() for process in processes), LINES // workers * workers)

        def map_request():
            expect("lines", service.request("POST", "/v1/map/echo-lines", payloads, harness.WAIT).strip(), payloads)

        if not rounds:
            map_request()
        bare.append(harness.seconds(echo_alone))
        rounds.append(harness.seconds(map_request))
    alone, rate = LINES / sorted(bare)[LINE_ROUNDS // 2], LINES / sorted(rounds)[LINE_ROUNDS // 2]
    harness.figure(f"Python echo, {workers} of them between bare pipes", alone, "lines/s")
    harness.figure("the same as a lines: handler, POST /v1/map", rate, "jobs/s")
    harness.verdict("lines: / the lesser of 100,000 and bare pipes", rate / min(100_000, alone), "", at_least=1)


def main():
    folder = os.path.join(harness.SCRATCH, "handlers")
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "benchmark_handlers.py"), FUNCTION)
    write(os.path.join(folder, "echo.py"), ECHO)
    settings = os.path.join(folder, "handlers.yaml")
    write(settings, SETTINGS)
    harness.title(f"handlers: {CALLS:,} Python calls, {RUNS:,} commands, {LINES:,} lines, {harness.WORKERS} workers")
    with harness.service("--config", settings) as service:
        functions(service, folder)
        commands(service)
        lines(service, folder)


if __name__ == "__main__":
    main()
