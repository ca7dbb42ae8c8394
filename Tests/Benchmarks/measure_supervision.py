"""What supervision costs: a fresh worker, a death, a time-out, and a thousand crashes in a large batch."""
import json
import os
import statistics
import time

import harness

FORKS = 500
DEATHS = 200
TIMEOUTS = 20
TIMEOUT = 0.25
GOOD, BAD = 100_000, 1_000

# Runs as a Python handler. The clock is the same for all processes of a machine.
HANDLERS = '''
import os, signal, time

def clock(payload):
    """When a job began, in nanoseconds; or, with a path, when its worker died."""
    now = time.monotonic_ns()
    if isinstance(payload, str):
        with open(payload, "w") as file:
            file.write(str(time.monotonic_ns()))
        os.kill(os.getpid(), signal.SIGKILL)
    return now

forked = 0

def note():
    global forked
    forked = time.monotonic_ns()

os.register_at_fork(before=note)

def fresh(payload):
    """Nanoseconds from this process's fork, in the fork server, until the job runs."""
    return time.monotonic_ns() - forked
'''

# Each job has a worker of its own.
RULES = '''
handlers:
  clock: {python: "supervised:clock", folder: .}
  fresh: {python: "supervised:fresh", folder: ., recycle: {jobs: 1}}
  square: {compiled_in: true, recycle: {jobs: 1}}
'''


def forks(service):
    """Milliseconds from the fork of a fresh worker to its first job, in Python."""
    return sorted(result / 1e6 for result in lonely(service, "fresh")[1])


def lonely(service, handler):
    """Seconds that a batch takes whose jobs have a fresh worker each, and its results."""
    batch = json.dumps({"handler": handler, "jobs": [2] * FORKS, "chunk_size": 1}).encode()
    start = time.perf_counter()
    answer = json.loads(service.request("POST", "/v1/batches", batch, harness.WAIT))
    taken = time.perf_counter() - start
    lines = service.request("GET", f"/v1/batches/{answer['id']}/results").splitlines()
    return taken, [json.loads(line)["result"] for line in lines]


def deaths(service, folder):
    """Milliseconds from a worker's death to the next job of its chunk, which runs in a worker forked since."""
    path = os.path.join(folder, "death")
    taken = []
    for _ in range(DEATHS):
        batch = json.dumps({"handler": "clock", "jobs": [path, 1], "chunk_size": 2, "max_attempts": 1}).encode()
        answer = json.loads(service.request("POST", "/v1/batches", batch, harness.WAIT))
        results = service.request("GET", f"/v1/batches/{answer['id']}/results").splitlines()
        began = json.loads(results[1])["result"]
        with open(path) as file:
            taken.append((began - int(file.read())) / 1e6)
    return sorted(taken)


def timeouts(service):
    """Milliseconds by which jobs outlived their time-out."""
    late = []
    for _ in range(TIMEOUTS):
        job = json.dumps({"handler": "hang", "payload": None, "timeout": TIMEOUT, "max_attempts": 1}).encode()
        answer = json.loads(service.request("POST", "/v1/jobs", job, harness.WAIT))
        late.append((answer["error"]["certificate"]["wall_seconds"] - TIMEOUT) * 1000)
    return late


def run_crashes(service, jobs):
    batch = json.dumps({"handler": "crash", "jobs": jobs, "max_attempts": 1}).encode()
    start = time.perf_counter()
    answer = json.loads(service.request("POST", "/v1/batches", batch, harness.WAIT))
    return time.perf_counter() - start, answer


def crashes(service, fork):
    good = [False] * GOOD
    mixed = list(good)
    for number in range(BAD):
        mixed.insert(number * (GOOD // BAD + 1), None)
    alone, _ = run_crashes(service, good)
    alone = min(alone, run_crashes(service, good)[0])
    together, answer = run_crashes(service, mixed)
    counts = answer["counts"]
    if (counts["succeeded"], counts["failed"]) != (GOOD, BAD):
        raise SystemExit(f"not what was expected: {counts}")
    failed = [json.loads(line) for line in service.request("GET", f"/v1/batches/{answer['id']}/results").splitlines()]
    certificates = sum(1 for job in failed if job.get("error", {}).get("signal") == "SIGSEGV" and "certificate" in job["error"])
    harness.figure(f"{GOOD:,} good jobs alone", alone, "s")
    harness.figure(f"{GOOD:,} good jobs and {BAD:,} crashes", together, "s")
    harness.figure(f"{BAD:,} forks, {fork:.2f} ms each, on {harness.WORKERS} workers", BAD * fork / 1000 / harness.WORKERS, "s")
    harness.verdict("crashes with a certificate that names SIGSEGV", certificates, "", at_least=BAD)
    # The sums: what it may take is 1.5 times the good jobs and the forks that the crashes cost.
    allowed = 1.5 * alone + BAD * fork / 1000
    harness.verdict("taken / (1.5 x alone + forks)", together / allowed, "", at_most=1)


def main():
    folder = os.path.join(harness.SCRATCH, "handlers")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "supervised.py"), "w") as file:
        file.write(HANDLERS)
    with open(os.path.join(folder, "jobmill.yaml"), "w") as file:
        file.write(RULES)
    harness.title("supervision: death, time-out and crashes of workers")
    settings = ("--config", os.path.join(folder, "jobmill.yaml"))
    with harness.service(*settings, "--workers", "1") as service:  # Forks that follow each other, with nothing beside them.
        began = forks(service)
        harness.verdict("fork of a fresh worker to its first job, Python, p50", statistics.median(began), "ms ", at_most=3)
        # A compiled handler cannot tell when it was forked: this is a worker's whole life, from the one before it to the one behind it.
        lives = [lonely(service, "square")[0] / FORKS * 1000 for _ in range(5)]
        harness.verdict("a fresh worker, its one job and its end, Swift, median of 5", statistics.median(lives), "ms ", at_most=3)
    with harness.service(*settings) as service:
        taken = deaths(service, folder)
        p50, p99 = statistics.median(taken), taken[int(len(taken) * 0.99) - 1]
        harness.figure("a worker's death to a fresh one's first job, p50", p50, "ms ")
        harness.verdict("a worker's death to its next job elsewhere, p99", p99, "ms ", at_most=50)
        harness.verdict(f"time-out of {TIMEOUT} s: latest of {TIMEOUTS}", max(timeouts(service)), "ms ", at_most=100)
        crashes(service, p50)


if __name__ == "__main__":
    main()
