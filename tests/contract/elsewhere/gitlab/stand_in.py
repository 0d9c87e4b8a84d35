"""Stand-in of GitLab's issues: pages by the Link header, labels, states."""

import threading
from typing import Any

from app.connectors.catalog.stand_in import Answer, StandInServer, main

PROJECT = "/api/v4/projects/7/issues"


class IssuesWire:
    """The issues of one project, in memory."""

    def __init__(self):
        self.issues, self.effects, self.lock = [], [], threading.Lock()

    def __call__(self, call):
        """Answer one authorised request."""
        with self.lock:
            if call.path == "/api/v4/user":
                return Answer(200, {"id": 1, "username": call.account})
            if call.path == PROJECT and call.method == "GET":
                return self._list(call)
            if call.path == PROJECT:
                return self._create(call)
            number = call.path.removeprefix(f"{PROJECT}/")
            found = [each for each in self.issues if str(each["iid"]) == number]
            if call.method == "PUT" and found:
                found[0]["state"] = "closed"
                self.effects.append(("closed", number))
                return Answer(200, found[0])
        return Answer(404, {"message": "404 Not found"})

    def _list(self, call):
        found = [each for each in self.issues if call.query.get("labels", each["labels"]) == each["labels"]]
        found = [each for each in found if call.query.get("state", each["state"]) == each["state"]]
        page, size = int(call.query.get("page", "1")), int(call.query.get("per_page", "20"))
        more = page * size < len(found)
        host = call.headers["host"].partition(":")[0]
        link = f'<https://{host}{PROJECT}?state=opened&per_page={size}&page={page + 1}>; rel="next"'
        return Answer(200, found[(page - 1) * size : page * size], {"Link": link} if more else {})

    def _create(self, call):
        iid = len(self.issues) + 1
        made = {"iid": iid, "state": "opened", "web_url": f"https://git.example.com/-/issues/{iid}", **call.body}
        self.issues.append(made)
        self.effects.append(("opened", iid))
        return Answer(201, made)


class IssuesStandIn(StandInServer):
    """Finds the token in GitLab's own header."""

    effects: list[Any]

    def token_of(self, headers):
        """The token of a request."""
        return headers.get("PRIVATE-TOKEN", "")


def start(port=0, tokens=None):
    """Serve on 127.0.0.1; port 0 takes a free one."""
    wire = IssuesWire()
    server = IssuesStandIn(
        wire, errors=lambda _status, code: {"message": code}, tokens=tokens or {"glpat-acme": "acme"}, port=port
    )
    server.effects = wire.effects
    return server


def seed(stand_in):
    """Five issues, the first with our reference."""
    for number in range(1, 6):
        label = "acme-1" if number == 1 else "other"
        stand_in.wire.issues.append({"iid": number, "title": "Welcome", "state": "opened", "labels": label})


if __name__ == "__main__":
    main(start, "Stand-in of GitLab issues")
