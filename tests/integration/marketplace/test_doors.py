"""The doors over real HTTP, pages and API: offer, review, find, install, import a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.note import read_key
from app.kernel.ids import new_id
from app.marketplace.signing import is_countersigned, package_hash
from app.templates.library import open_shelf
from app.templates.lines.ends import End, Ends
from app.templates.operations import publish
from app.templates.packing.package import Contents, publisher, write_package
from app.templates.packing.reading import read_package
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tests.factories.api import Caller, Said
from tests.factories.doors import Answer, Browser
from tests.integration.marketplace.market import template
from tests.integration.onboarding.house import House

ACME = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
AT = "2026-03-02T09:00:00Z"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


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
        silent = template("northwind-silent", description={"en": "For renewals.", "de": " ", "ar": "للتجديد."})
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


API = "/api/v1/marketplace"
FILE = "application/octet-stream"


def callers(house: House) -> tuple[Caller, Caller, Caller]:
    """Software of Northwind, of Contoso and of the operator."""
    otto = signed_in(house, "otto@platform.example", "localhost")
    return house.lead, Caller(signed_in(house, "cora@contoso.example", "contoso.localhost")), Caller(otto)


def offered(house: House, name: str, version: str = "1.0.0", to: str = "public") -> str:
    """Publish it in Northwind's home and offer it by the API; gives the offer's path."""
    made = template(name, version)
    with house.installation.work(house.home, house.ada) as work:
        publish(work, made)
    house.run()
    wish = {"template": made.digest, "visibility": to, "changelog": "Less to type.\nMore to read."}
    answer = house.lead.post(f"{API}/offers", wish)
    assert answer.status == 201, answer.body
    return answer.headers["location"]


def listed(house: House, name: str, version: str = "1.0.0") -> str:
    """Offered to everybody and approved; gives the version's id."""
    _ada, _cora, otto = callers(house)
    path = offered(house, name, version)
    house.run()
    one = path.rpartition("/")[2]
    package = otto.get(f"{API}/reviews/{one}").body["package"]
    assert otto.post(f"{API}/reviews/{one}/decision", {"approved": True, "package": package}).status == 202
    house.run()
    return one


class TestTheAPIOfPublishers:
    def test_follows_an_offer_from_its_checks_to_its_end(self, house: House):
        ada, cora, otto = callers(house)
        path = offered(house, "api-offer")
        assert ada.get(path).body["state"] == "checking"
        assert ada.get(f"{API}/offers").body["items"][0]["state"] == "checking"
        house.run()
        seen = ada.get(path)
        assert (seen.body["state"], seen.body["changelog"]) == ("in_review", "Less to type.\nMore to read.")
        assert {each["name"]: each["passed"] for each in seen.body["checks"]}["histories"] is True
        assert ada.get(path, **{"if-none-match": seen.headers["etag"]}).status == 304
        one = path.rpartition("/")[2]
        assert [each["id"] for each in otto.get(f"{API}/reviews").body["items"]].count(one) == 1
        review = f"{API}/reviews/{one}/decision"
        assert otto.post(review, {"approved": True, "package": "sha256:other"}).problem == "offer-moved-on"
        assert otto.post(review, {"approved": False}).problem == "reason-missing"
        assert otto.post(review, {"approved": False, "reason": "It asks too much."}).status == 202
        house.run()
        assert ada.get(path).body["decision"]["reason"] == "It asks too much."
        assert ada.post(f"{path}/withdrawal", {"reason": "Because"}).problem == "offer-moved-on"
        for stranger in (cora, otto):
            assert stranger.get(path).problem in {"submission-missing", "not-permitted"}
            assert stranger.post(f"{path}/withdrawal", {"reason": "Because"}).status in {403, 404}

    def test_offers_once_for_a_key_and_nothing_without_one(self, house: House):
        ada, cora, _otto = callers(house)
        wish = {"template": template("northwind-start").digest, "visibility": "private", "changelog": "Mine."}
        assert ada.post(f"{API}/offers", wish, key=None).problem == "idempotency-key-missing"
        wish["template"] = offered_digest(house, "api-once")
        assert cora.post(f"{API}/offers", wish).problem == "template-missing"
        first = ada.post(f"{API}/offers", wish, key="once")
        again = ada.post(f"{API}/offers", wish, key="once")
        assert (again.status, again.body) == (201, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert ada.post(f"{API}/offers", wish | {"changelog": "Other."}, key="once").problem == "command-key-reused"
        assert ada.post(f"{API}/offers", wish).problem == "version-offered"

    def test_lists_offers_page_by_page(self, house: House):
        ada, cora, _otto = callers(house)
        for name in ("api-page-a", "api-page-b"):
            offered(house, name, to="private")
        house.run()
        first = ada.get(f"{API}/offers?limit=1&state=listed")
        assert 'rel="next"' in first.headers["link"]
        second = ada.get(f"{API}/offers?limit=1&state=listed&cursor={first.body['next']}")
        names = [page.body["items"][0]["template"] for page in (first, second)]
        assert names == ["api-page-b", "api-page-a"]
        assert ada.get(f"{API}/offers?limit=1&cursor={first.body['next']}").problem == "cursor-foreign"
        assert cora.get(f"{API}/offers?limit=1&state=listed&cursor={first.body['next']}").problem == "cursor-foreign"


def offered_digest(house: House, name: str) -> str:
    """The address of a template that Northwind has published."""
    made = template(name)
    with house.installation.work(house.home, house.ada) as work:
        publish(work, made)
    house.run()
    return made.digest


class TestTheAPIOfPartners:
    def test_finds_reads_installs_and_hears_of_the_end(self, house: House):
        ada, cora, otto = callers(house)
        one = listed(house, "api-line")
        found = cora.get(f"{API}/listings?q=api-line&audience=msp")
        assert [each["id"] for each in found.body["items"]] == [one]
        assert found.body["facets"]["audience"] == [{"value": "msp", "count": 1}]
        read = cora.get(f"{API}/listings/{found.body['items'][0]['listing_id']}").body
        assert [each["version"] for each in read["versions"]] == ["1.0.0"]
        whole = cora.get(f"{API}/versions/{one}?language=de").body
        assert whole["plan"]["language"] == "de"
        assert whole["plan"]["board"][0]["title"]
        raw = cora.browser.send("GET", f"{API}/versions/{one}/package").text.encode()
        assert whole["signature"]["package"] == package_hash(raw)
        package = read_package(raw, trusted=read_key(whole["signature"]["key"]))
        operator = read_key(whole["signature"]["reviewed"]["key"])
        assert is_countersigned(UUID(one), raw, whole["signature"]["reviewed"]["signature"], operator)
        install = f"{API}/versions/{one}/installation"
        first, again = (cora.send("POST", install, None, {"idempotency-key": "take"}) for _ in range(2))
        assert first.body["new"] is again.body["new"] is True
        assert again.headers["idempotency-replayed"] == "true"
        assert cora.send("POST", install, None, {"idempotency-key": "take-2"}).body["new"] is False
        house.run()
        later = listed(house, "api-line", "1.1.0")
        [held] = [each for each in cora.get(f"{API}/installations").body["items"] if each["id"] == one]
        assert (held["digest"], held["newer"]) == (package.address, {"version_id": later, "version": "1.1.0"})
        rating = {"stars": 4, "said": "Good."}
        assert cora.post(f"{API}/listings/{held['listing_id']}/rating", rating).status == 202
        assert cora.post(f"{API}/listings/{held['listing_id']}/reports", {"reason": "Too long."}).status == 202
        ending = {"reason": "Use the next.", "replaced_by": "1.1.0", "ends_on": "2099-01-31"}
        assert ada.post(f"{API}/offers/{one}/deprecation", ending | {"ends_on": "soon"}).problem == "end-unfit"
        assert ada.post(f"{API}/offers/{one}/deprecation", ending).status == 202
        house.run()
        [held] = [each for each in cora.get(f"{API}/installations").body["items"] if each["id"] == one]
        assert (held["state"], held["notice"]["replaced_by"]) == ("deprecated", "1.1.0")
        for page in ("/templates", "/templates/lines/api-line"):
            assert "is deprecated" in cora.browser.get(page).text
        way = f"/marketplace/listings/{held['listing_id']}?version=1.1.0"
        assert way in cora.browser.get("/templates/lines/api-line").text
        cora.send("POST", install.replace(one, later), None, {"idempotency-key": "take-later"})
        house.run()
        for page in ("/templates", "/templates/lines/api-line"):
            assert "is deprecated" not in cora.browser.get(page).text
        assert otto.get(f"{API}/reviews/reports").body["items"][0]["said"] == "Too long."
        assert otto.post(f"{API}/reviews/{one}/takedown", {"reason": "It asks for passwords."}).status == 202
        house.run()
        taken = cora.send("POST", install, None, {"idempotency-key": "take"})
        assert (taken.status, taken.body) == (200, first.body)
        assert cora.send("POST", install, None, {"idempotency-key": "take-3"}).problem == "not-on-offer"

    def test_tells_nobody_that_a_private_listing_is_there(self, house: House):
        ada, cora, otto = callers(house)
        path = offered(house, "api-private", to="private")
        house.run()
        one, listing = path.rpartition("/")[2], ada.get(path).body["listing_id"]
        ways = [("GET", f"versions/{one}"), ("GET", f"versions/{one}/package"), ("GET", f"listings/{listing}")]
        ways += [("POST", f"versions/{one}/installation"), ("POST", f"listings/{listing}/reports")]
        missing = str(new_id())
        for method, way in ways:
            sent = {"reason": "Because"} if way.endswith("reports") else None
            for who in (cora, otto):
                answers = [
                    who.send(method, f"{API}/{each}", sent, {"idempotency-key": new_id().hex})
                    for each in (way, way.replace(one, missing).replace(listing, missing))
                ]
                told = [(each.status, each.body | {"trace_id": ""}) for each in answers]
                assert told[0] == told[1], way
                assert told[0][0] == (403 if who is otto and method == "POST" else 404), way
        assert cora.get(f"{API}/listings?q=api-private").body["total"] == 0

    def test_refuses_a_file_that_is_altered_huge_or_from_nobody_known(self, house: House):
        _ada, cora, _otto = callers(house)
        raw = write_package(Contents(template("api-file").document), ACME, AT)

        def send(body: bytes, media: str = FILE) -> Said:
            return cora.send("POST", f"{API}/imports", body, {"content_type": media, "idempotency-key": new_id().hex})

        assert send(raw).problem == "publisher-unknown"
        assert cora.browser.post("/marketplace/imports/keys", form(key=ACME.key.written)).status == 200
        assert send(raw.replace(b"Renewal", b"Removal", 1)).problem == "package-altered"
        assert send(raw[:-1]).problem == "package-unreadable"
        assert send(b" " * 2_000_001).status == 413
        assert send(raw, "application/json").problem == "media-type-unknown"
        assert (send(raw).body["new"], send(raw).body["new"]) == (True, False)

    def test_is_for_who_may(self, house: House):
        assert house.cleo.get(f"{API}/listings").status == 200
        assert house.cleo.get(f"{API}/offers").problem == "not-permitted"
        assert house.lead.get(f"{API}/reviews").problem == "not-permitted"
        assert house.lead.get(f"{API}/listings?cursor=forged").problem == "cursor-foreign"
        assert house.lead.get(f"{API}/listings?colour=red").problem == "query-unfit"


class TestAnEnd:
    def test_is_a_hint_for_staff_where_the_version_runs(self, house: House, monkeypatch: pytest.MonkeyPatch):
        running = open_shelf("msp/managed-services").template
        end = End(running.id, running.digest, running.version, "1.0.0", "taken_down", "Unsafe.", NOW, "", "", "", "/x")
        monkeypatch.setitem(house.doors.runtime.services, Ends, Ends(lambda _session: [end]))
        page = house.acme.path.removeprefix("/api/v1").replace("/tenants/", "/t/")
        assert "which was taken down" in house.lead.browser.get(page).text
        assert "which was taken down" not in house.olga.browser.get(page).text
        upgrades = house.lead.browser.get(f"/upgrades?template={running.id}").text
        assert "was taken down by the operator" in upgrades
        assert f"/templates/lines/{running.id}" in upgrades
