"""From submit to result of one job on an idle service, one job at a time over one connection."""
import os
import subprocess

import harness

SAMPLES = 2000


def percentiles(port, pause):
    """Milliseconds of the 50th and the 99th percentile; pause: microseconds of silence between two jobs."""
    output = subprocess.run(
        [os.path.join(harness.SCRATCH, "round-trips"), str(port), str(SAMPLES), str(pause)],
        capture_output=True, text=True)
    if output.returncode:
        raise SystemExit(output.stderr)
    return (int(nanoseconds) / 1e6 for nanoseconds in output.stdout.split())


def main():
    harness.title(f"latency: POST /v1/jobs with Prefer: wait, {SAMPLES:,} jobs, one at a time")
    with harness.service() as service:
        p50, p99 = percentiles(service.port, 0)
        harness.verdict("p50", p50, "ms ", at_most=1)
        harness.verdict("p99", p99, "ms ", at_most=3)
        p50, p99 = percentiles(service.port, 2000)
        harness.figure("p50 with 2 ms of silence between the jobs", p50, "ms")
        harness.figure("p99 with 2 ms of silence between the jobs", p99, "ms")


if __name__ == "__main__":
    main()
