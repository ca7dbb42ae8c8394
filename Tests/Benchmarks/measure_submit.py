"""Durable single-job submissions over 64 connections, beside a bare libmicrohttpd that reads as much and answers as much."""
import json
import os
import re
import statistics
import subprocess
import time

import harness

CONNECTIONS = 64
SECONDS = 5
ROUNDS = 3
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "submit.lua")
JOB = b'{"handler":"square","payload":7}'


def wrk(port):
    """Returns the requests that were answered, and how many a second."""
    output = subprocess.run(
        ["wrk", "-t", "2", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "-s", SCRIPT, f"http://127.0.0.1:{port}/v1/jobs"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"wrk met errors:\n{output}")
    return int(re.search(r"(\d+) requests in", output)[1]), float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])


def measure_service(service):
    """Returns submissions a second, and jobs a second from the first submission to the last stored result."""
    start = time.perf_counter()
    answered, rate = wrk(service.port)
    service.wait_until_idle()
    return rate, answered / (time.perf_counter() - start)


def main():
    bare, submitted, ended = [], [], []
    with harness.service() as service:
        answer = service.request("POST", "/v1/jobs", JOB)
        program = subprocess.Popen(
            [os.path.join(harness.SCRATCH, "bare-httpd"), str(len(answer))], stdout=subprocess.PIPE, text=True)
        try:
            bare_port = int(program.stdout.readline())
            for _ in range(ROUNDS):
                bare.append(wrk(bare_port)[1])
                rate, end_to_end = measure_service(service)
                submitted.append(rate)
                ended.append(end_to_end)
        finally:
            program.kill()
            program.wait()
        job = json.loads(service.request("GET", f"/v1/jobs/{json.loads(answer)['id']}"))
        if job["result"] != 49:
            raise SystemExit(f"the answer is wrong: {job}")

    bare, submitted, ended = map(statistics.median, (bare, submitted, ended))
    harness.title(f"submit: POST /v1/jobs over {CONNECTIONS} connections, {SECONDS} s each, median of {ROUNDS}")
    harness.figure("bare libmicrohttpd, stores nothing", bare, "requests/s")
    harness.figure("jobs accepted, on disk before the answer", submitted, "requests/s")
    harness.verdict("accepted / bare", submitted / bare, "", at_least=0.3)
    harness.verdict("from first submission to last stored result", ended, "jobs/s ", at_least=20_000)


if __name__ == "__main__":
    main()
