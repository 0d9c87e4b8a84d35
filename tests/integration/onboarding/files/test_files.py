"""Files that people hand over: taken in, sealed, read again by both sides, taken back; and what must not happen."""

from __future__ import annotations

import hashlib
import socket
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.kernel.ids import new_id
from app.onboarding.files.sweeping import sweep_files
from app.vault.files.folder import Incoming
from app.vault.keyring import Keyring
from app.vault.operations.rotation import ask_rotation
from tests.factories.vault.files import office, pdf
from tests.integration.onboarding.files.desk import (
    BOUNDARY,
    STAFFS,
    THEIRS,
    Desk,
    fetch,
    form_body,
    open_desk,
    send_form,
)
from tests.integration.onboarding.house import House

DIAGRAM = pdf("Flow of orders", size=200_000)
LATER = timedelta(hours=2)


@pytest.fixture
def desk(house: House) -> Desk:
    return open_desk(house)


def complete(desk: Desk, **typed: str) -> int:
    fields = {"command_key": str(uuid4())} | typed
    return desk.house.olga.browser.post(f"{desk.page}/completion", fields).status


class TestHandingOver:
    def test_keeps_what_both_sides_can_read_and_nothing_plain(self, desk: Desk):
        house = desk.house
        answer = desk.hand_over(house.olga, ("Datenfluss ü.pdf", DIAGRAM))
        assert answer.status == 303, answer.text
        [file] = desk.files()
        path = f"{desk.path}/files/{file['id']}"
        assert path in house.olga.browser.get(desk.page).text
        for reader in (house.olga, house.lead):
            status, headers, got = fetch(reader, path)
            assert (status, got) == (200, DIAGRAM)
            assert headers["content-disposition"].startswith('attachment; filename="Datenfluss u.pdf"')
            assert (headers["x-content-type-options"], headers["content-type"]) == ("nosniff", "application/pdf")
        assert [line.rpartition(" ")[2] for line in desk.told()] == ["handed_over", "opened"]
        assert "Ada" in desk.told()[1]
        assert any(blob.name == file["address"] for blob in desk.blobs())
        on_disk = b"".join(each.read_bytes() for each in desk.folder.path.rglob("*") if each.is_file())
        assert b"Flow of orders" not in on_disk
        assert b"Datenfluss" not in on_disk
        assert desk.waiting() == set()

    def test_completes_with_references_alone(self, desk: Desk):
        house = desk.house
        assert complete(desk) == 422  # nothing was handed over yet
        desk.hand_over(house.olga, ("a.pdf", DIAGRAM), ("b.png", b"\x89PNG\r\n\x1a\nrest"))
        desk.hand_over(house.olga, ("orders.xlsx", office()), slot="samples")
        ids = {each["id"]: each["about"]["slot"] for each in desk.files()}
        assert complete(desk, diagram=str(uuid4())) == 303  # what somebody types in its place says nothing
        query = "SELECT snapshot, (SELECT event FROM {}.journal WHERE onboarding_id = o.id ORDER BY seq DESC LIMIT 1)"
        [row] = house.installation.rows(
            desk.place.tenant, f"{query} FROM {{}}.onboarding o WHERE id = %s", desk.place.onboarding_id
        )
        answers = row.snapshot["items"][THEIRS]["answers"]
        assert {name: set(value.split("\n")) for name, value in answers.items()} == {
            slot: {one for one, where in ids.items() if where == slot} for slot in ("diagram", "samples")
        }
        assert "a.pdf" not in str(row)
        shown = house.olga.browser.get(desk.page).text
        assert all(name in shown for name in ("a.pdf", "b.png", "orders.xlsx"))
        assert "a.pdf" in house.lead.browser.get(desk.path).text
        assert desk.hand_over(house.olga, ("c.pdf", DIAGRAM)).status == 409
        [first, *_] = ids
        assert (
            house.olga.browser.post(f"{desk.path}/files/{first}/removal", {"command_key": str(uuid4())}).status == 409
        )
        assert len(desk.files()) == 3

    def test_counts_a_form_once(self, desk: Desk):
        key = str(uuid4())
        answers = [desk.hand_over(desk.house.olga, ("a.pdf", DIAGRAM), key=key) for _ in range(2)]
        assert [answer.status for answer in answers] == [303, 303]
        assert len(desk.files()) == 1
        assert desk.hand_over(desk.house.olga, ("a.pdf", DIAGRAM + b"x"), key=key).status == 422
        assert desk.waiting() == set()

    def test_lets_staff_hand_over_what_is_theirs(self, desk: Desk):
        house = desk.house
        assert desk.hand_over(house.lead, ("plan.pdf", DIAGRAM), slot="plan", task=STAFFS).status == 303
        [file] = desk.files()
        assert "plan.pdf" in house.lead.browser.get(f"{desk.path}/tasks/{STAFFS}/files").text
        assert fetch(house.olga, f"{desk.path}/files/{file['id']}")[0] == 404  # the partner's own steps
        assert fetch(house.lead, f"{desk.path}/files/{file['id']}")[2] == DIAGRAM


class TestTakingBack:
    def test_destroys_the_key_at_once_and_the_bytes_soon(self, desk: Desk):
        house = desk.house
        desk.hand_over(house.olga, ("a.pdf", DIAGRAM))
        [file] = desk.files()
        removal = f"{desk.path}/files/{file['id']}/removal"
        assert house.lead.browser.post(removal, {"command_key": str(uuid4())}).status == 403  # not their task
        assert house.olga.browser.post(removal, {"command_key": str(uuid4())}).status == 303
        assert desk.files() == []
        keys = house.installation.rows(
            desk.place.tenant, "SELECT 1 FROM {}.secret WHERE purpose = 'file' AND field = %s", file["id"]
        )
        assert keys == []
        house.run()
        assert file["address"] not in {blob.name for blob in desk.blobs()}
        assert fetch(house.olga, f"{desk.path}/files/{file['id']}")[0] == 404


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "content", "status", "words"),
        [
            ("a.exe", b"MZ", 422, "Taken are: .pdf, .png"),
            ("a.pdf", b"", 422, "This file is empty"),
            ("a.pdf", b"<html>", 422, "does not fit its name"),
            ("a.pdf", DIAGRAM + office(), 422, "two kinds of file in one"),
            ("a.pdf", pdf(size=1 << 20), 413, "larger than 1 MB"),
            ("../..", DIAGRAM, 422, "The name of this file"),
            ("", b"", 422, "Choose a file first"),
        ],
    )
    def test_are_told_where_the_file_was_chosen_and_keep_nothing(self, desk: Desk, name, content, status, words):
        answer = desk.hand_over(desk.house.olga, ("good.pdf", DIAGRAM), (name, content))
        expected = 303 if name == "" else status
        assert answer.status == expected
        if name:
            assert words in answer.text
            assert desk.files() == []
        else:
            assert words in desk.hand_over(desk.house.olga, (name, content)).text
        assert desk.waiting() == set()

    def test_name_the_place_that_is_full(self, desk: Desk):
        desk.hand_over(desk.house.olga, ("a.pdf", DIAGRAM), ("b.pdf", DIAGRAM))
        assert "Here are as many files as are taken: 2" in desk.hand_over(desk.house.olga, ("c.pdf", DIAGRAM)).text
        assert len(desk.files()) == 2

    def test_keep_to_the_limit_of_the_workspace(self, desk: Desk):
        cell = desk.house.installation.cell
        cell("UPDATE cell.tenant SET limits = %s::jsonb WHERE id = %s", '{"files_mb": 0}', desk.place.tenant.id)
        try:
            assert desk.hand_over(desk.house.olga, ("a.pdf", DIAGRAM)).status == 409
        finally:
            cell("UPDATE cell.tenant SET limits = NULL WHERE id = %s", desk.place.tenant.id)

    def test_turn_away_whoever_has_no_business_here(self, desk: Desk):
        house = desk.house
        desk.hand_over(house.olga, ("a.pdf", DIAGRAM))
        [file] = desk.files()
        theirs = f"/t/{house.globex.tenant.id}/onboardings/{house.globex.onboarding_id}"
        contoso = house.api.caller("kim@contoso.example", house.doors.contoso, host="contoso.localhost")
        assert fetch(house.gus, f"{desk.path}/files/{file['id']}")[0] == 404
        assert fetch(house.gus, f"{theirs}/files/{file['id']}")[0] == 404
        assert (
            fetch(house.olga, f"/t/{house.acme.tenant.id}/onboardings/{house.acme.onboarding_id}/files/{file['id']}")[0]
            == 404
        )  # another onboarding of the same workspace
        assert fetch(contoso, f"{desk.path}/files/{file['id']}")[0] == 404
        assert fetch(house.vera, f"{desk.path}/files/{file['id']}")[0] == 200  # a viewer of theirs reads
        assert desk.hand_over(house.vera, ("b.pdf", DIAGRAM)).status == 403
        assert desk.hand_over(house.gus, ("b.pdf", DIAGRAM)).status == 404
        assert desk.hand_over(house.lead, ("b.pdf", DIAGRAM)).status == 403  # the customer's task
        assert desk.hand_over(house.olga, ("b.pdf", DIAGRAM), slot="nothing").status == 404
        assert len(desk.files()) == 1

    def test_take_no_form_of_another_site(self, desk: Desk):
        body = form_body({"command_key": str(uuid4())}, ("a.pdf", DIAGRAM))
        path = f"{desk.page}/files/diagram"
        assert send_form(desk.house.olga, path, body, origin="http://evil.example").status == 403
        assert send_form(desk.house.olga, path, form_body({}, ("a.pdf", DIAGRAM))).status == 422  # without its key
        assert send_form(desk.house.olga, path, body, **{"content-type": "text/plain"}).status == 415
        assert send_form(desk.house.olga, path, body[:-40]).status == 400
        assert desk.files() == []


class TestCutOff:
    def test_leaves_nothing_when_the_sender_goes_away(self, desk: Desk):
        browser, body = desk.house.olga.browser, form_body({"command_key": str(uuid4())}, ("a.pdf", DIAGRAM))
        head = (
            f"POST {desk.page}/files/diagram HTTP/1.1\r\nHost: {browser.host}:{browser.port}\r\n"
            f"Origin: http://{browser.host}:{browser.port}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Cookie: {'; '.join(f'{name}={value}' for name, value in browser.cookies.items())}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", browser.port), timeout=10) as line:
            line.sendall(head.encode() + body[:100_000])
            deadline = datetime.now(UTC) + timedelta(seconds=10)
            while not desk.waiting() and datetime.now(UTC) < deadline:
                pass
            assert desk.waiting()
        while desk.waiting() and datetime.now(UTC) < deadline:
            pass
        assert desk.waiting() == set()
        assert desk.files() == []

    def test_is_swept_where_the_program_was_killed(self, desk: Desk):
        """Killed before the commit: a blob without a row. Killed right after it: a row whose second name stayed."""
        desk.hand_over(desk.house.olga, ("a.pdf", DIAGRAM))
        [file] = desk.files()
        folder, tenant_id = desk.folder, desk.place.tenant.id
        [blob] = [each for each in desk.blobs() if each.name == file["address"]]
        committed = Incoming(tenant_id, desk.place.onboarding_id, UUID(file["id"]))
        (folder.path / "incoming" / committed.name).hardlink_to(blob)
        lost = Incoming(tenant_id, desk.place.onboarding_id, new_id())
        with folder.receive(lost) as written:
            written.write(b"sealed")
        folder.publish(lost, hashlib.sha256(b"sealed").hexdigest())
        runtime = desk.house.doors.runtime
        assert sweep_files(runtime) == 0  # somebody may be committing it at this moment
        assert sweep_files(runtime, at=datetime.now(UTC) + LATER) >= 1
        assert desk.waiting() == set()
        assert all(each.read_bytes() != b"sealed" for each in desk.blobs())
        assert fetch(desk.house.olga, f"{desk.path}/files/{file['id']}")[2] == DIAGRAM


class TestKeys:
    def test_change_while_files_are_there(self, desk: Desk):
        house, tenant = desk.house, desk.place.tenant
        desk.hand_over(house.olga, ("a.pdf", DIAGRAM))
        [file] = desk.files()
        [blob] = [each for each in desk.blobs() if each.name == file["address"]]
        before, written = blob.read_bytes(), blob.stat().st_mtime
        with house.installation.work(tenant, house.ada) as work:
            ask_rotation(work, work.service(Keyring), wrapping=True, keys=True)
        house.run()
        query = "SELECT DISTINCT key_version FROM {}.secret WHERE purpose = 'file'"
        assert [row.key_version for row in house.installation.rows(tenant, query)] == [2]
        assert fetch(house.olga, f"{desk.path}/files/{file['id']}")[2] == DIAGRAM
        assert (blob.read_bytes(), blob.stat().st_mtime) == (before, written)  # only its key was sealed anew

    def test_open_nothing_while_they_are_switched_off(self, desk: Desk):
        house, tenant = desk.house, desk.place.tenant
        desk.hand_over(house.olga, ("a.pdf", DIAGRAM))
        [file] = desk.files()
        keys = house.doors.runtime.service(Keyring).wrapping
        keys.disable(tenant.id)
        try:
            assert fetch(house.olga, f"{desk.path}/files/{file['id']}")[0] == 503
            assert desk.hand_over(house.olga, ("b.pdf", DIAGRAM)).status == 503
        finally:
            keys.enable(tenant.id)
        assert len(desk.files()) == 1


class TestAPI:
    def test_hands_over_lists_fetches_and_takes_back(self, desk: Desk):
        house, key = desk.house, new_id().hex
        base = f"/api/v1{desk.path.replace('/t/', '/tenants/')}"
        door = f"{base}/tasks/{THEIRS}/files/samples?name=orders.xlsx"
        sent = {"content_type": "application/octet-stream", "idempotency-key": key}
        made = [house.olga.send("POST", door, office(), sent) for _ in range(2)]
        assert [one.status for one in made] == [201, 201]
        assert made[1].headers["idempotency-replayed"] == "true"
        file = made[0].body
        assert (file["name"], file["kind"], file["slot"]) == ("orders.xlsx", "xlsx", "samples")
        assert house.olga.get(made[0].headers["location"]).body == file
        assert house.lead.get(f"{base}/files?task={THEIRS}").body == {"items": [file]}
        assert fetch(house.olga, f"{base}/files/{file['id']}/content")[2] == office()
        [question] = [
            one for one in house.olga.get(f"{base}/items/{THEIRS}").body["questions"] if one["id"] == "samples"
        ]
        assert question["files"] == {"accept": ["csv", "xlsx"], "max_mb": 1, "at_least": 0, "at_most": 3}
        gone = house.olga.post(f"{base}/files/{file['id']}/removal", None)
        assert (gone.status, gone.body["id"]) == (200, file["id"])
        assert house.olga.get(f"{base}/files/{file['id']}").status == 404

    def test_says_what_is_wrong_before_a_byte_is_read(self, desk: Desk):
        house, base = desk.house, f"/api/v1{desk.path.replace('/t/', '/tenants/')}"
        door = f"{base}/tasks/{THEIRS}/files/diagram"
        binary = {"content_type": "application/octet-stream"}
        once = binary | {"idempotency-key": new_id().hex}
        assert house.olga.send("POST", f"{door}?name=a.pdf", DIAGRAM, binary).body["type"].endswith("key-missing")
        assert house.olga.send("POST", door, DIAGRAM, once).status == 400
        assert (
            house.olga.send("POST", f"{door}?name=a.pdf", DIAGRAM, once | {"content_type": "text/plain"}).status == 415
        )
        assert house.olga.send("POST", f"{door}?name=a.exe", DIAGRAM, once).status == 422
        assert house.olga.send("POST", f"{door}?name=a.pdf", pdf(size=3 << 20), once).status == 413
        assert house.gus.send("POST", f"{door}?name=a.pdf", DIAGRAM, once).status == 404
        assert desk.files() == []
        assert desk.waiting() == set()
