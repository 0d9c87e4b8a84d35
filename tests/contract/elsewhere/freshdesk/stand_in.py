"""Stand-in of Freshdesk (REST v2)."""

import threading

from app.connectors.catalog.stand_in import Answer, StandInServer, main

NOW = "2026-01-05T09:00:00Z"


class FreshdeskWire:
    """Contacts, tickets and notes in memory."""

    def __init__(self):
        self.contacts, self.tickets, self.notes = {}, {}, {}
        self.effects, self.next_id, self.lock = [], 1, threading.Lock()

    def __call__(self, call):
        """Answer one request whose key is known."""
        with self.lock:
            parts = call.path.removeprefix("/api/v2/").split("/")
            if not call.path.startswith("/api/v2/"):
                return Answer(404, None)
            if parts == ["agents", "me"] and call.method == "GET":
                return Answer(200, {"id": 7, "contact": {"name": call.account}})
            if parts[0] == "contacts":
                return self.contact(call, parts[1:])
            if parts[0] == "tickets":
                return self.ticket(call, parts[1:])
            return Answer(404, None)

    def contact(self, call, rest):
        """/contacts and /contacts/{id}."""
        if not rest and call.method == "GET":
            return self.page(call, [each for each in self.contacts.values() if fits(each, call.query)])
        if not rest and call.method == "POST":
            for field in ("email", "unique_external_id"):
                if any(call.body.get(field) and each.get(field) == call.body[field] for each in self.contacts.values()):
                    return refusal(409, field, "It should be a unique value", "duplicate_value")
            if not call.body.get("name"):
                return refusal(400, "name", "It should not be blank", "missing_field")
            return Answer(201, self.keep(self.contacts, call.body))
        if rest and call.method == "DELETE" and rest[0].isdigit() and int(rest[0]) in self.contacts:
            self.effects.append(self.contacts.pop(int(rest[0]))["id"])
            return Answer(204, None)
        return Answer(404, None)

    def ticket(self, call, rest):
        """/tickets, /tickets/{id} and /tickets/{id}/notes."""
        if not rest and call.method == "GET":
            since = call.query.get("updated_since", "")
            return self.page(call, [each for each in self.tickets.values() if each["updated_at"] >= since])
        if not rest and call.method == "POST":
            for field in ("email", "subject", "description", "status", "priority"):
                if call.body.get(field) in (None, ""):
                    return refusal(400, field, "It should be a valid value", "missing_field")
            return Answer(201, self.keep(self.tickets, {**call.body, "requester_id": 1}))
        known = self.tickets.get(int(rest[0])) if rest and rest[0].isdigit() else None
        if known and len(rest) == 1 and call.method == "PUT":
            if known["status"] != call.body["status"]:
                known["status"] = call.body["status"]
                self.effects.append(known["id"])
            return Answer(200, known)
        if known and rest[1:] == ["notes"] and call.method == "POST":
            note = {"body": call.body["body"], "private": call.body["private"], "ticket_id": known["id"]}
            return Answer(201, self.keep(self.notes, note))
        return Answer(404, None)

    def keep(self, where, what):
        """One thing more."""
        made = {"id": self.next_id, "created_at": NOW, "updated_at": NOW, **what}
        self.next_id += 1
        where[made["id"]] = made
        self.effects.append(made["id"])
        return made

    def page(self, call, rows):
        """A page of a list, and where the next one is."""
        size, page = min(int(call.query.get("per_page", 30)), 100), int(call.query.get("page", 1))
        headers = {}
        if len(rows) > page * size:
            kept = "&".join(f"{name}={value}" for name, value in call.query.items() if name != "page")
            headers["Link"] = f'<{call.path}?{kept}&page={page + 1}>; rel="next"'
        return Answer(200, rows[(page - 1) * size : page * size], headers)


def fits(contact, query):
    """Whether a contact is asked for."""
    wanted, since = query.get("unique_external_id"), query.get("_updated_since", "")
    return (wanted is None or contact.get("unique_external_id") == wanted) and contact["updated_at"] >= since


def refusal(status, field, message, code):
    """How Freshdesk says that something does not fit."""
    return Answer(
        status,
        {"description": "Validation failed", "errors": [{"field": field, "message": message, "code": code}]},
    )


def start(port=0, tokens=None):
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps a key to its account."""
    wire = FreshdeskWire()
    server = StandInServer(
        wire,
        errors=lambda status, code: {"code": code, "message": code},
        tokens=tokens or {"tok": "acme"},
        port=port,
    )
    server.effects = wire.effects  # type: ignore[attr-defined]  # the checks count them
    return server


def seed(stand_in):
    """What the fixtures speak of."""
    wire = stand_in.wire
    wire.keep(wire.contacts, {"name": "Ada", "email": "ada@acme.example", "unique_external_id": "acme-1"})
    wire.keep(wire.tickets, {"subject": "Welcome", "status": 2, "priority": 1, "requester_id": 1})
    wire.effects.clear()


if __name__ == "__main__":
    main(start, "Stand-in of Freshdesk")
