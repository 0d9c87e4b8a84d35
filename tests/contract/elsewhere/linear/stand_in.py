"""Stand-in of Linear's issues: GraphQL over HTTP, connections, errors with codes, limits by points."""

import threading
from typing import Any

from app.connectors.catalog.stand_in import Answer, StandInServer, main

TEAM = "6f1c0a3e-3f51-4b7d-9a6e-0a6d1c1f7a10"
FIRST = "0d9a4f6e-92a2-4c0b-8f4e-000000000001"


def refused(code, message, status=200):
    """An error of GraphQL; of an operation that has begun, where the status is of success."""
    errors = [{"message": message, "extensions": {"code": code}}]
    return Answer(status, {"errors": errors} | ({"data": None} if status == 200 else {}))


class LinearWire:
    """The issues of one team, in memory."""

    def __init__(self):
        self.issues, self.effects, self.lock, self.points = [], [], threading.Lock(), 3_000_000

    def __call__(self, call):
        """Answer one authorised request."""
        if call.method != "POST" or call.path != "/graphql" or set(call.body) - {"query", "variables", "operationName"}:
            return refused("GRAPHQL_VALIDATION_FAILED", "no such operation", 400)
        operations = {
            "Viewer": self._viewer,
            "Issues": self._issues,
            "Issue": self._issue,
            "CreateIssue": self._create,
            "DeleteIssue": self._delete,
        }
        operation = operations.get(call.body["operationName"])
        if operation is None or f" {call.body['operationName']}" not in call.body["query"]:
            return refused("GRAPHQL_VALIDATION_FAILED", "no such operation", 400)
        with self.lock:
            answer = operation(call, call.body["variables"])
        if "data" not in answer:
            return refused(**answer)
        left = {"X-RateLimit-Complexity-Remaining": str(self.points), "X-Complexity": "6"}
        return Answer(200, answer, {"Content-Type": "application/graphql-response+json"} | left)

    def _viewer(self, call, _given):
        return {"data": {"viewer": {"id": "u1", "name": call.account}}}

    def _issues(self, _call, given):
        found = [each for each in self.issues if given["team"] == TEAM]
        begin = next((n + 1 for n, each in enumerate(found) if each["id"] == given.get("after")), 0)
        nodes = found[begin : begin + given["first"]]
        more = begin + len(nodes) < len(found)
        page = {"hasNextPage": more, "endCursor": nodes[-1]["id"] if nodes else None}
        return {"data": {"issues": {"nodes": nodes, "pageInfo": page}}}

    def _issue(self, _call, given):
        return {"data": {"issues": {"nodes": [each for each in self.issues if each["id"] == given["id"]]}}}

    def _create(self, _call, given):
        wanted = given["input"]
        if wanted["teamId"] != TEAM or any(each["id"] == wanted["id"] for each in self.issues):
            return {"code": "INPUT_ERROR", "message": "conflict on insert"}
        number = len(self.issues) + 1
        url = f"https://linear.app/acme/issue/ACM-{number}"
        made = {"id": wanted["id"], "title": wanted["title"], "identifier": f"ACM-{number}", "url": url}
        self.issues.append(made)
        self.effects.append(("created", wanted["id"]))
        return {"data": {"issueCreate": {"success": True, "issue": made}}}

    def _delete(self, _call, given):
        self.effects.append(("deleted", given["id"]))
        return {"data": {"issueDelete": {"success": True}}}


class LinearStandIn(StandInServer):
    """Finds the key in the header as Linear takes it, with no word before it."""

    effects: list[Any]

    def token_of(self, headers):
        """The key of a request."""
        return headers.get("Authorization", "")


def start(port=0, tokens=None):
    """Serve on 127.0.0.1; port 0 takes a free one."""
    wire = LinearWire()
    errors = {401: "AUTHENTICATION_ERROR", 429: "RATELIMITED"}
    server = LinearStandIn(
        wire,
        errors=lambda status, message: refused(errors.get(status, "ERROR"), message, status=400).document,
        tokens=tokens or {"lin_api_acme": "acme"},
        port=port,
    )
    server.effects = wire.effects
    return server


def seed(stand_in):
    """Five issues, the first with an id of ours."""
    for number in range(1, 6):
        one = {"id": f"{FIRST[:-1]}{number}", "title": "Welcome", "identifier": f"ACM-{number}"}
        stand_in.wire.issues.append(one | {"url": f"https://linear.app/acme/issue/ACM-{number}"})


if __name__ == "__main__":
    main(start, "Stand-in of Linear")
