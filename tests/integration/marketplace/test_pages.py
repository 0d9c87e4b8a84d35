"""The pages over real HTTP: offer, look, install, import a file; and what a reviewer sees on the operator's host."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.ids import new_id
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.templates.packing.package import Contents, publisher, write_package
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tests.factories.doors import Answer, Browser
from tests.integration.marketplace.market import template
from tests.integration.onboarding.house import House

ACME = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
AT = "2026-03-02T09:00:00Z"


@pytest.fixture(scope="module")
def house(api: Any) -> House:
    """Northwind with a template of its own, and the operator's home."""
    made = House(api)
    wanted = TenantRequest(made.doors.platform, kind="home", name="Operations", key="home")
    create_tenant(made.doors.runtime, made.ada, wanted, trace_id="set-up")
    with made.installation.work(made.home, made.ada) as work:
        publish(work, template("northwind-start"))
    made.doors.staff("otto@platform.example", made.doors.platform, "operator")
    made.doors.staff("cora@contoso.example", made.doors.contoso)
    contoso = TenantRequest(made.doors.contoso, kind="home", name="Contoso", key="home")
    create_tenant(made.doors.runtime, made.ada, contoso, trace_id="set-up")
    made.run()
    return made


def signed_in(house: House, email: str, host: str) -> Browser:
    browser = house.doors.browser(host)
    assert house.doors.sign_in(browser, email, proved=True).status == 303
    return browser


def form(**fields: str) -> dict[str, str]:
    return {"command_key": str(new_id()), **fields}


def upload(browser: Browser, raw: bytes, key: str = "") -> Answer:
    bound, key = "xxBOUNDxx", key or str(new_id())
    parts = [
        f'--{bound}\r\ncontent-disposition: form-data; name="command_key"\r\n\r\n{key}\r\n'.encode(),
        f'--{bound}\r\ncontent-disposition: form-data; name="file"; filename="a.json"\r\n\r\n'.encode(),
        raw,
        f"\r\n--{bound}--\r\n".encode(),
    ]
    headers = {"content-type": f"multipart/form-data; boundary={bound}", "sec-fetch-site": "same-origin"}
    headers["origin"] = f"http://{browser.host}:{browser.port}"
    return browser.send("POST", "/marketplace/imports", body=b"".join(parts), headers=headers)


class TestFromOfferToInstall:
    def test_is_a_way_through_pages(self, house: House):
        ada, otto = house.lead.browser, signed_in(house, "otto@platform.example", "localhost")
        cora = signed_in(house, "cora@contoso.example", "contoso.localhost")
        address = template("northwind-start").digest.removeprefix("sha256:")
        assert f"/marketplace/offers/new/{address}" in ada.get(f"/templates/{address}").text
        assert ada.post(f"/marketplace/offers/new/{address}", form(visibility="public")).status == 422
        wish = form(visibility="public", changelog="For <b>everybody</b>.")
        assert ada.post(f"/marketplace/offers/new/{address}", wish).status == 303
        house.run()
        offers = ada.get("/marketplace/offers").text
        assert "Checks found something" in offers
        assert "is HTML; texts are plain" in offers
        assert "<b>everybody</b>" not in offers
        wish = form(visibility="public", changelog="For everybody.")
        assert ada.post(f"/marketplace/offers/new/{address}", wish).status == 303
        house.run()
        [row] = house.installation.control(
            "SELECT id, listing_id FROM control.listing_version WHERE state = 'in_review'"
        )
        assert "northwind-start" in otto.get("/marketplace/reviews").text
        seen = otto.get(f"/marketplace/reviews/{row.id}")
        assert seen.status == 200
        assert cora.get(f"/marketplace/reviews/{row.id}").status == 403
        assert cora.get(f"/marketplace/listings/{row.listing_id}").status == 404
        verdict = form(decision="approve", package=seen.hidden["package"])
        assert otto.post(f"/marketplace/reviews/{row.id}", verdict).status == 303
        again = otto.post(f"/marketplace/reviews/{row.id}", form(decision="decline", reason="No."))
        assert again.status == 409
        house.run()
        assert "northwind-start" not in cora.get("/marketplace?q=nothing-of-that").text
        found = cora.get("/marketplace?audience=msp&q=Renewal").text
        assert f"/marketplace/listings/{row.listing_id}" in found
        unknown = cora.get("/marketplace?audience=x&lifecycle=x&length=x&rating=x&language=x%00&publisher=x%00")
        assert unknown.status == 200
        for view in ("board", "timeline", "forms", "needs"):
            assert cora.get(f"/marketplace/listings/{row.listing_id}?view={view}&language=de").status == 200
        assert cora.get(f"/marketplace/versions/{row.id}/package").headers["content-disposition"].endswith('.json"')
        for word in ("installed", "known"):
            answer = cora.post(f"/marketplace/versions/{row.id}/installation", form())
            assert answer.headers["location"].endswith(word)
        house.run()
        assert "northwind-start" in cora.get("/templates").text
        assert "You have it" in cora.get(f"/marketplace/listings/{row.listing_id}").text
        rating = form(stars="5", said="Good.")
        assert cora.post(f"/marketplace/listings/{row.listing_id}/rating", rating).status == 303
        down = form(reason="It asks for passwords.")
        assert otto.post(f"/marketplace/reviews/{row.id}/takedown", down).status == 303
        house.run()
        assert "It asks for passwords." in cora.get("/marketplace").text
        gone = cora.post(f"/marketplace/versions/{row.id}/installation", form())
        assert gone.status == 409
        assert "not on offer any more" in gone.text

    def test_begins_for_the_operator_with_the_reviews_and_offers_no_way_that_is_shut(self, house: House):
        otto = signed_in(house, "otto@platform.example", "localhost")
        landed = otto.get("/")
        assert (landed.status, landed.headers["location"]) == (303, "/marketplace/reviews")
        ways = re.findall(r'<a href="(/[a-z/]*)"', otto.get("/marketplace/reviews").text)
        assert "/marketplace" in ways
        assert [way for way in ways if otto.get(way).status >= 400] == []

    def test_says_before_it_is_submitted_that_a_listing_would_say_nothing(self, house: House):
        silent = template("northwind-silent", description={"en": "For renewals.", "de": " "})
        with house.installation.work(house.home, house.ada) as work:
            publish(work, silent)
        house.run()
        way, wish = f"/marketplace/offers/new/{silent.digest.removeprefix('sha256:')}", {"visibility": "private"}
        for answer in (house.lead.browser.get(way), house.lead.browser.post(way, form(changelog="New.", **wish))):
            assert "It has no description in this language: DE." in answer.text
            assert "Who may find it?" not in answer.text
        assert answer.status == 422


class TestImport:
    def test_asks_about_an_unknown_key_before_it_takes_the_file(self, house: House):
        ada = house.lead.browser
        raw = write_package(Contents(open_shelf("msp/renewal").template.document), ACME, AT)
        asked = upload(ada, raw)
        assert asked.status == 403
        assert ACME.key.fingerprint in asked.text
        trusted = ada.post("/marketplace/imports/keys", form(key=asked.hidden["key"]))
        assert trusted.status == 200
        key = str(new_id())
        assert "Imported." in upload(ada, raw, key).text
        assert "Nothing has changed" in upload(ada, raw).text
        other = write_package(Contents(template("another-file").document), ACME, AT)
        assert "This key was used for another request." in upload(ada, other, key).text

    def test_runs_no_test_of_a_publisher_whom_nobody_trusts(self, house: House):
        stranger = publisher("stranger", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
        unsound = dict(open_shelf("msp/renewal").template.document) | {"audience": "nobody"}
        asked = upload(house.lead.browser, write_package(Contents(unsound), stranger, AT))
        assert asked.status == 403
        assert stranger.key.fingerprint in asked.text

    @pytest.mark.parametrize("trouble", ["cut", "altered", "empty", "huge", "bomb", "other"])
    def test_says_what_is_wrong_with_a_file(self, house: House, trouble: str):
        raw = write_package(Contents(open_shelf("msp/renewal").template.document), ACME, AT)
        files = {
            "cut": (raw[:-40], "cut off"),
            "altered": (raw.replace(b"Renewal", b"Removal", 1), "Not as it was packed"),
            "empty": (b"", "Choose the file"),
            "huge": (b" " * 2_050_000, "at most 2,000,000 bytes"),
            "bomb": (b"[" * 100_000, "This is no package"),
            "other": (b"\x89PNG\r\n\x1a\n", "This is no package"),
        }
        answer = upload(house.lead.browser, files[trouble][0])
        assert answer.status == 422
        assert files[trouble][1] in answer.text

    def test_is_for_who_may_publish(self, house: House):
        assert house.cleo.browser.get("/marketplace/imports").status == 403
        assert upload(house.cleo.browser, b"").status == 403
