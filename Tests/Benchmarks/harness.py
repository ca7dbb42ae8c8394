"""What the benchmarks share: a service of their own, an HTTP client, medians, and the way to print a result."""
import contextlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

JOBMILL = os.environ["JOBMILL"]
SCRATCH = os.environ["JOBMILL_BENCHMARKS"]
WORKERS = len(os.sched_getaffinity(0))
WAIT = {"Prefer": "wait=600"}


class Service:
    """A running Jobmill with an empty store on the disk that holds the build, not in a memory file system."""

    def __init__(self, process, port):
        self.process, self.port = process, port
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def request(self, method, path, body=None, headers={}):
        """Sends bytes, returns the answer's bytes; anything but 2xx ends the benchmark."""
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        answer = response.read()
        if not 200 <= response.status < 300:
            raise SystemExit(f"{method} {path}: {response.status} {answer[:500].decode()}")
        return answer

    def run_batch(self, batch):
        """Submits a batch (a value, or JSON bytes), waits until it has completed, and returns it."""
        body = batch if isinstance(batch, bytes) else json.dumps(batch).encode()
        answer = json.loads(self.request("POST", "/v1/batches", body, WAIT))
        if answer["status"] != "completed" or answer["counts"]["succeeded"] != answer["counts"]["total"]:
            raise SystemExit(f"not every job has succeeded: {answer['status']} {answer['counts']}")
        return answer

    def wait_until_idle(self):
        while True:
            page = json.loads(self.request("GET", "/v1/batches?limit=1&status=queued&status=running"))
            if not page["batches"] and page["next_cursor"] is None:
                return
            time.sleep(0.01)

    def memory(self, field):
        """A field of /proc/PID/status in MB: VmRSS now, VmHWM the peak."""
        with open(f"/proc/{self.process.pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines[field].split()[0]) * 1024 / 1e6


@contextlib.contextmanager
def service(*flags):
    folder = tempfile.mkdtemp(dir=SCRATCH, prefix="service-")
    port_file = os.path.join(folder, "port")
    with open(os.path.join(folder, "log"), "w") as log:
        process = subprocess.Popen(
            [JOBMILL, "serve", "--demo", "--listen", "127.0.0.1:0", "--port-file", port_file, "--workers", str(WORKERS),
             "--data", os.path.join(folder, "data"), *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while not os.path.exists(port_file):
            if process.poll() is not None:
                with open(os.path.join(folder, "log")) as log:
                    raise SystemExit(f"the service does not start: {log.read()}")
            time.sleep(0.02)
        with open(port_file) as file:
            yield Service(process, int(file.read()))
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleave(rounds, **actions):
    """Runs A B C, A B C, … and returns each action's median seconds: what else the machine does hits all alike."""
    taken = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(seconds(action))
    return {name: statistics.median(times) for name, times in taken.items()}


def title(text):
    print(f"\n{text}")


def figure(name, value, unit):
    print(f"  {name:<52} {value:>12,.{0 if value >= 100 else 2}f} {unit}", flush=True)


def verdict(name, value, unit, *, at_least=None, at_most=None):
    met = value >= at_least if at_least is not None else value <= at_most
    target = f"at least {at_least:,}" if at_least is not None else f"at most {at_most:,}"
    figure(name, value, f"{unit}({target}: {'met' if met else 'NOT met'})")
