"""Squares of a million integers: Python's Pool.map beside one HTTP request that stores everything durably."""
import json
import multiprocessing

import harness

COUNT = 1_000_000
ROUNDS = 5


def square(number):
    return number * number


def main():
    numbers = list(range(1, COUNT + 1))
    array = json.dumps(numbers, separators=(",", ":")).encode()
    batch = b'{"handler":"square","jobs":' + array + b"}"
    squares = [number * number for number in numbers]
    answers = {}

    with multiprocessing.Pool(harness.WORKERS) as pool, harness.service() as service:

        def map_request():
            answers["map"] = service.request("POST", "/v1/map/square", array, harness.WAIT)

        def batch_request():
            done = service.run_batch(batch)
            answers["batch"] = service.request("GET", f"/v1/batches/{done['id']}/results?view=values")

        map_request()  # nobody measures the first request of a fresh service, nor the first map of a fresh pool
        pool.map(square, numbers)
        taken = harness.interleave(
            ROUNDS, pool=lambda: pool.map(square, numbers), map=map_request, batch=batch_request)
        taken |= harness.interleave(1, hundred=lambda: pool.map(square, numbers, 100))
        taken |= harness.interleave(1, one=lambda: pool.map(square, numbers[:50_000], 1))
    for name, answer in answers.items():
        if json.loads(answer) != squares:
            raise SystemExit(f"{name}: the answer is wrong")

    rate = {name: COUNT / time for name, time in taken.items()} | {"one": 50_000 / taken["one"]}
    workers = harness.WORKERS
    harness.title(f"map: squares of {COUNT:,} integers, {workers} workers, median of {ROUNDS}")
    harness.figure(f"Pool({workers}).map, default chunks", rate["pool"], "items/s")
    harness.figure(f"Pool({workers}).map, chunks of 100", rate["hundred"], "items/s")
    harness.figure(f"Pool({workers}).map, chunks of 1", rate["one"], "items/s")
    harness.figure("POST /v1/map/square", rate["map"], "items/s")
    harness.figure("POST /v1/batches, GET results?view=values", rate["batch"], "items/s")
    harness.verdict("map / Pool", rate["map"] / rate["pool"], "", at_least=0.5)
    harness.verdict("batch and results / Pool", rate["batch"] / rate["pool"], "", at_least=0.5)


if __name__ == "__main__":
    main()
