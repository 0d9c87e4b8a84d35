"""The pages of messages that come in: an address is shown once, a secret never, what was held back is mended."""

from __future__ import annotations

import base64
from typing import Any

from app.connectors.inbound.operations.addresses import follow_all
from app.kernel.ids import new_id
from tests.factories.doors import Answer
from tests.integration.connectors.inbound.conftest import OTHER, SECRET, Peer, Place

LEAKED = base64.b64encode(SECRET).decode()


def read(place: Place, connector: str = "") -> Answer:
    path = f"/t/{place.tenant.id}/inbound"
    return place.caller.browser.get(f"{path}/{place.connections[connector]}" if connector else path)


def post(place: Place, what: str, **fields: Any) -> Answer:
    path = f"/t/{place.tenant.id}/inbound/{place.connections['peer']}/{what}"
    return place.caller.browser.post(path, {"command_key": str(new_id())} | fields)


class TestPages:
    def test_take_somebody_from_nothing_to_a_message_that_came_in(self, place: Place):
        assert "Peer" in read(place).text
        assert "No address yet" in read(place, "peer").text
        key = str(new_id())
        first, again = (post(place, "address", command_key=key) for _each in range(2))
        assert first.status == 201
        address = first.text.partition('id="url" value="')[2].partition('"')[0]
        assert address.startswith("http://northwind.localhost")
        assert address not in again.text + read(place, "peer").text
        assert post(place, "secret", value=LEAKED).status == 303
        assert LEAKED not in read(place, "peer").text
        place.run()
        peer = Peer(place.api.doors.port, "standard_webhooks", address)
        assert peer.send(peer.order(90)).status == 202
        place.run()
        assert "o-90" in read(place, "peer").text

    def test_say_beside_the_form_what_is_wrong_and_give_no_secret_back(self, place: Place):
        wrong = post(place, "secret", value="my birthday", hours="12")
        assert (wrong.status, "birthday" in wrong.text) == (422, False)
        assert "Copy it again" in wrong.text
        assert post(place, "secret", value="").status == 422
        assert post(place, "address", hours="1000").status == 422

    def test_have_a_delivery_checked_again_and_say_why_not(self, place: Place):
        peer = place.peer("peer")
        peer.secret = OTHER
        peer.send(peer.order(91))
        delivery = place.deliveries("peer", held=True)[0]
        refused = post(place, f"deliveries/{delivery['id']}")
        assert (refused.status, "None of the secrets" in refused.text) == (409, True)
        assert place.set_secret("peer", OTHER).status == 200
        assert post(place, f"deliveries/{delivery['id']}").status == 303
        place.run()
        assert place.deliveries("peer")[0]["id"] == delivery["id"]

    def test_ask_before_nothing_more_is_taken(self, place: Place):
        peer = place.peer("peer")
        hook = place.connections["peer"]
        asked = place.caller.browser.get(f"/t/{place.tenant.id}/inbound/{hook}/closing")
        assert (asked.status, "for good" in asked.text) == (200, True)
        assert peer.send(peer.order(92)).status == 202
        assert post(place, "closing").status == 303
        assert peer.send(peer.order(93)).status == 404


def test_addresses_lead_to_a_workspace_that_came_from_elsewhere(place: Place):
    peer = place.peer("peer")
    place.api.installation.control("DELETE FROM control.hook WHERE connection_id = %s", place.connections["peer"])
    assert peer.send(peer.order(94)).status == 404
    with place.api.installation.work(place.tenant) as work:
        assert follow_all(work) >= 1
    place.run()
    assert peer.send(peer.order(94)).status == 202
