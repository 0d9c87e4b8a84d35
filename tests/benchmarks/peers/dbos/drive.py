"""Runs inside the peer's own environment: workflows of twelve steps that do nothing, each checkpointed by itself.

`python drive.py THREADS WORKFLOWS STEPS`, with PEER_URL set. One JSON object: steps a second.
"""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS


@DBOS.step()
def step(number: int) -> dict[str, int]:
    """All that is measured is what surrounds it."""
    return {"number": number}


@DBOS.workflow()
def flow(steps: int) -> float:
    """Seconds from before the first step to after the last: what begins and ends a workflow is left out."""
    began = time.perf_counter()
    for number in range(steps):
        step(number)
    return time.perf_counter() - began


def main(threads: int, workflows: int, steps: int) -> None:
    """Each thread runs its workflows one after the other."""
    DBOS(config={"name": "peer", "system_database_url": os.environ["PEER_URL"], "log_level": "ERROR"})
    DBOS.launch()
    flow(steps)  # warm
    ready = threading.Barrier(threads)

    def walk() -> float:
        ready.wait()
        return sum(flow(steps) for _ in range(workflows))

    with ThreadPoolExecutor(threads) as pool:
        times = [each.result() for each in [pool.submit(walk) for _ in range(threads)]]
    DBOS.destroy()
    sys.stdout.write(json.dumps(threads * workflows * steps / max(times)) + "\n")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
