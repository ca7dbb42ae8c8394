"""Resident memory of the server process while it takes, runs and hands out a batch of a million jobs."""
import harness

COUNT = 1_000_000


def main():
    array = b"[" + b",".join(b"%d" % number for number in range(COUNT)) + b"]"
    harness.title(f"memory: resident megabytes of the server process, {COUNT:,} jobs")
    with harness.service() as service:
        harness.figure("after the start", service.memory("VmRSS"), "MB")
        done = service.run_batch(b'{"handler":"square","jobs":' + array + b"}")
        harness.figure("peak until the batch has completed", service.memory("VmHWM"), "MB")
        service.request("GET", f"/v1/batches/{done['id']}/results?view=values")
        harness.verdict("peak until its results have been fetched", service.memory("VmHWM"), "MB ", at_most=150)
    with harness.service() as service:
        service.request("POST", "/v1/map/square", array, harness.WAIT)
        harness.verdict("peak of the same as POST /v1/map/square", service.memory("VmHWM"), "MB ", at_most=150)


if __name__ == "__main__":
    main()
