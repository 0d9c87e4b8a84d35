"""An onboarding that asks both sides for files, and how files are handed over there. Not a test."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from app.flow import events as flow
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.models import Onboarding
from app.onboarding.operations import StartRequest, start_onboarding
from app.templates.language import read_template
from app.templates.operations import pin
from app.templates.overlay import apply_overlays
from app.vault.files.folder import FileFolder, Incoming
from tests.factories.api import Caller
from tests.factories.doors import Answer
from tests.integration.onboarding.house import House, Place
from tests.unit.flow.parts.small import FILE, milestone, small_text, task
from tests.unit.flow.running import BERLIN

SLOTS = (
    "files: [{id: diagram, label: {en: Your diagram}, accept: [pdf, png], max_mb: 1, at_most: 2},"
    " {id: samples, label: {en: Sample records}, accept: [csv, xlsx], max_mb: 1, at_least: 0, at_most: 3}]"
)
OURS = "files: [{id: plan, label: {en: Our plan}, accept: [pdf], max_mb: 1}]"
THEIRS, STAFFS = "task.send", "task.share"
MILESTONES = milestone("base", task("send", SLOTS, kind="file", owner="client"), task("share", OURS, kind="file"))
BOUNDARY = "frontier"
Named = tuple[str, bytes]


@dataclass(frozen=True)
class Desk:
    """One onboarding of Acme's whose two file tasks are open, and the people who stand before it."""

    house: House
    place: Place

    @property
    def page(self) -> str:
        """The customer's task."""
        return f"{self.path}/tasks/{THEIRS}"

    @property
    def path(self) -> str:
        """Where its pages are."""
        return f"/t/{self.place.tenant.id}/onboardings/{self.place.onboarding_id}"

    @property
    def folder(self) -> FileFolder:
        """Where the sealed bytes lie."""
        return self.house.doors.runtime.service(FileFolder)

    def blobs(self) -> list[Path]:
        """Every sealed file of the workspace."""
        return sorted(each for each in (self.folder.path / str(self.place.tenant.id)).rglob("*") if each.is_file())

    def hand_over(
        self, who: Caller, *files: Named, slot: str = "diagram", task: str = THEIRS, key: str = "", path: str = ""
    ) -> Answer:
        """The form of a place, as a browser without scripts sends it."""
        body = form_body({"command_key": key or str(uuid4())}, *files)
        return send_form(who, f"{path or self.path}/tasks/{task}/files/{slot}", body)

    def files(self) -> list[dict[str, Any]]:
        """The rows of its files, the first first."""
        rows = self.house.installation.rows(
            self.place.tenant,
            "SELECT key, body FROM {}.record WHERE kind = 'file' AND key LIKE %s ORDER BY key",
            f"{self.place.onboarding_id}/%",
        )
        return [row.body | {"id": row.key.partition("/")[2]} for row in rows]

    def waiting(self) -> set[Incoming]:
        """What of this onboarding is on its way in, or was left there."""
        return {each for each in self.folder.waiting() if each.place_id == self.place.onboarding_id}

    def told(self) -> list[str]:
        """What the trail says of files."""
        query = "SELECT action, actor_name FROM {}.trail WHERE action LIKE 'onboarding.file%%' AND onboarding_id = %s"
        rows = self.house.installation.rows(self.place.tenant, f"{query} ORDER BY id", self.place.onboarding_id)
        return [f"{row.actor_name} {row.action.rpartition('.')[2]}" for row in rows]


def form_body(fields: dict[str, str], *files: Named) -> bytes:
    """A form with files in it."""
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    head = 'name="file"; filename="{}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    parts += [head.format(name).encode() + content for name, content in files]
    begin = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    return b"".join(begin + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def send_form(who: Caller, path: str, body: bytes, **more: str) -> Answer:
    """Send such a form from a page of this very host."""
    browser = who.browser
    own = {"origin": f"http://{browser.host}:{browser.port}", "sec-fetch-site": "same-origin"}
    own |= {"content-type": f"multipart/form-data; boundary={BOUNDARY}"} | more
    return browser.send("POST", path, body=body, headers=own)


def fetch(who: Caller, path: str) -> tuple[int, dict[str, str], bytes]:
    """A file as it comes over the wire."""
    browser = who.browser
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=20)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    try:
        connection.request("GET", path, headers={"host": f"{browser.host}:{browser.port}", "cookie": cookies})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def open_desk(house: House) -> Desk:
    """Start the onboarding in Acme's workspace, with the people that the other one there has."""
    effective = apply_overlays(read_template(small_text(MILESTONES), FILE))
    made = new_id()
    with house.installation.work(house.acme.tenant, house.ada) as work:
        people = work.session.get_one(Onboarding, house.acme.onboarding_id).people
        roles = {"lead": people["onboarding_lead"], "client": people["customer_owner"]}
        started = flow.Started(
            by=flow.By(actor=house.ada.label),
            inputs={"seats": 7},
            packet={"outcome": "Calm"},
            partner=BERLIN,
            customer=BERLIN,
        )
        start_onboarding(work, StartRequest(made, "Files", pin(work, effective), started, roles, {}))
        operations.decide_gate(work, onboarding_id=made, gate="gate.ready", decision="accept")
    return Desk(house, Place(house.acme.tenant, UUID(str(made))))
