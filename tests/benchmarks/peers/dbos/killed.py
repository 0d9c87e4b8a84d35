"""Runs inside the peer's own environment: flows of twelve calls, each a step of a workflow, until it is killed.

`python killed.py PORT TOKEN`, with PEER_URL set. Flows come by name on standard input, one a line. Unfinished ones are
recovered at the start, as DBOS does it by itself.
"""

import json
import os
import sys
import urllib.request

from dbos import DBOS, SetWorkflowID

PORT, TOKEN = sys.argv[1:]


@DBOS.step()
def call(name: str) -> str:
    """One call with a key that is the same whenever this step is run."""
    body = json.dumps({"external_id": name, "name": "Step", "plan": "team"}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Idempotency-Key": name}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/v1/workspaces", body, headers)
    with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - our own loopback
        return str(json.load(answer)["id"])


@DBOS.workflow()
def flow(name: str, steps: int) -> None:
    """Step after step."""
    for number in range(steps):
        call(f"{name}-{number}")


def main() -> None:
    """Start what is asked for; a flow that is known goes on by itself."""
    config = {"name": "peer", "system_database_url": os.environ["PEER_URL"], "log_level": "ERROR"}
    DBOS(config=config)
    DBOS.launch()
    for line in sys.stdin:
        name, steps = line.split()
        with SetWorkflowID(name):
            DBOS.start_workflow(flow, name, int(steps))


if __name__ == "__main__":
    main()
