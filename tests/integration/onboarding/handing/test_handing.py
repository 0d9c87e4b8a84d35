"""Over real HTTP: credentials come in through the customer's page and out only in a run; texts are signed as read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.connectors.catalog.product_admin import stand_in as product_admin
from app.connectors.catalog.product_admin.stand_in import ProductAdminStandIn
from app.connectors.kit.runner import Runner
from app.flow import events as flow
from app.flow.kinds.signatures import text_digest
from app.kernel.ids import new_id
from app.kernel.outbound.egress import AddressBook
from app.onboarding import operations
from app.onboarding.operations import StartRequest, start_onboarding
from app.onboarding.operations.operator.history import verify_history
from app.onboarding.queries.picture import get_picture
from app.templates.operations import pin
from app.templates.overlay import apply_overlays
from tests.canaries.marks import marked
from tests.factories.api import Caller
from tests.factories.doors import Answer
from tests.integration.connectors.test_runs import everything
from tests.integration.onboarding.house import House, Place
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import BERLIN

CANARY, OPEN_CANARY, LATER = marked("canary-of-acme"), "canary-user-of-acme", marked("canary-r0tated")
STEP = "task.access"
ACCESS = task(
    "access",
    """credential: {connector: product_admin, fields: [
    {id: api_token, label: {en: API token}, pattern: "canary-[a-z0-9-]+", min_length: 8},
    {id: user, label: {en: User name}, type: text, optional: true, max_length: 40}]}""",
    kind="credential",
    owner="client",
)
MAKE = task(
    "make",
    """depends_on: [task.access], action: {connector: product_admin, action: create_workspace, input:
    {external_id: onboarding.reference, name: '"Acme"', plan: '"team"'},
    outputs: [{id: id, label: {en: Id}, type: text}]}""",
    kind="action",
)
OURS = task("ours", "credential: {connector: desk, fields: [{id: token, label: {en: Token}}]}", kind="credential")
TEXTS = {"en": "We accept the risks.\n\nAll of them.", "de": "Wir tragen die Risiken."}
SIGN = task(
    "sign",
    'signature: {text: {en: "We accept the risks.\\n\\nAll of them.", de: Wir tragen die Risiken.}, signers: 2}',
    kind="signature",
    owner="client",
)
SIGN_TOO = task("agree", "signature: {text: {en: We agree.}, role: client}", kind="signature", owner="client")


@dataclass
class Handing:
    """An onboarding of Acme's that waits for its credentials, and the system that they open."""

    house: House
    place: Place
    product: ProductAdminStandIn

    @property
    def page(self) -> str:
        """Where the customer hands them over."""
        return f"/t/{self.place.tenant.id}/onboardings/{self.place.onboarding_id}/tasks/{STEP}"

    def give(self, caller: Caller | None = None, *, page: str = "", **typed: str) -> Answer:
        """Fill in the page and send it."""
        browser, page = (caller or self.house.olga).browser, page or self.page
        fields = {f"secret-{name}": value for name, value in typed.items()}
        hidden = {"command_key": str(new_id())} | browser.get(page).hidden  # who sees no form sends one all the same
        return browser.post(f"{page}/credentials", hidden | fields)

    def item(self, key: str = STEP) -> dict[str, Any]:
        """A step, as software sees it."""
        found: dict[str, Any] = self.house.lead.get(f"{self.place.path}/items/{key}").body
        return found


def start(house: House, name: str) -> Place:
    """An onboarding of the small template with these steps, its handoff accepted; Olga is the customer."""
    effective = apply_overlays(small(milestone("base", ACCESS, MAKE, OURS, SIGN, SIGN_TOO)))
    with house.installation.work(house.acme.tenant, house.ada) as work:
        people = get_picture(work, house.acme.onboarding_id).onboarding.people
        lead = [each for each in people["onboarding_lead"] if each["id"] == str(house.ada_id)]
        roles = {"lead": lead, "onboarding_lead": lead, "customer_owner": people["customer_owner"]}
        started = flow.Started(by=flow.By(actor="x"), inputs={}, packet={"outcome": "Calm"}, partner=BERLIN,
                               customer=BERLIN, follows=True, reference=f"ref-{name}")  # fmt: skip
        made = start_onboarding(work, StartRequest(new_id(), name, pin(work, effective), started, roles, {})).id
        operations.decide_gate(work, onboarding_id=made, gate="gate.ready", decision="accept")
    return Place(house.acme.tenant, made)


@pytest.fixture(scope="module")
def handing(house: House) -> Iterator[Handing]:
    """With the product's stand-in, which takes both tokens."""
    product = product_admin.start(tokens={CANARY: "acme", LATER: "acme"})
    client = house.api.runtime.service(Runner).client
    before, client.book = client.book, AddressBook.parse(f"admin.workbench.example:443={product.port}")
    yield Handing(house, start(house, "Handing"), product)
    client.book = before
    product.stop()


class TestHandOver:
    """In the order in which it happens."""

    def test_is_refused_without_an_echo(self, handing: Handing):
        answer = handing.give(api_token="wrong form!", user=OPEN_CANARY)
        assert answer.status == 422
        assert "This does not have the form that is asked for." in answer.text
        assert "wrong form!" not in answer.text
        assert OPEN_CANARY in answer.text  # typed in the open, and so given back
        assert "hidden fields are empty again" in answer.text
        assert handing.item()["state"] == "open"

    @pytest.mark.parametrize("caller", ["lead", "vera", "gus"])
    def test_is_nobody_elses_to_do(self, handing: Handing, caller: str):
        answer = handing.give(getattr(handing.house, caller), api_token=CANARY)
        assert answer.status in {403, 404}
        assert handing.item()["state"] == "open"
        secrets = handing.house.installation.rows(handing.place.tenant, "SELECT field FROM {}.secret")
        assert "api_token" not in {row.field for row in secrets}

    def test_does_not_take_credentials_for_answers(self, handing: Handing):
        version = {"if-match": handing.house.etag(handing.place)}
        sent = {"answers": {"api_token": CANARY}}
        said = handing.house.olga.post(f"{handing.place.path}/tasks/{STEP}/completion", sent, **version)
        assert (said.status, said.problem) == (422, "handed-over-elsewhere")
        assert CANARY not in str(said.body)

    def test_makes_the_connection_that_the_next_step_uses(self, handing: Handing):
        assert handing.give(api_token=f"  {CANARY}\n", user=OPEN_CANARY).status == 303
        handing.house.run()
        assert handing.item()["answers"] == {"api_token": True, "user": True}
        assert handing.item("task.make")["state"] == "done"
        assert [each["kind"] for each in handing.product.effects] == ["workspace_created"]

    def test_is_told_by_whom_and_when_and_never_what(self, handing: Handing):
        own = handing.house.olga.browser.get(handing.page).text
        theirs = handing.house.lead.browser.get(handing.page).text
        for text in (own, theirs):
            assert "Given by Olga on" in text
            assert CANARY not in text
            assert OPEN_CANARY not in text
        assert 'action="' + handing.page not in theirs

    def test_goes_again_and_replaces_what_was_given(self, handing: Handing):
        assert handing.give(api_token=LATER).status == 303
        trail = "SELECT body FROM {}.trail WHERE action = 'onboarding.credentials.given' ORDER BY id"
        told = [row.body for row in handing.house.installation.rows(handing.place.tenant, trail)]
        assert [(each["fields"], each["again"]) for each in told] == [
            (["api_token", "user"], False),
            (["api_token"], True),
        ]
        assert handing.item()["state"] == "done"

    def test_again_wants_something(self, handing: Handing):
        answer = handing.give()
        assert answer.status == 422
        assert "Fill in what you want to hand over." in answer.text

    def test_goes_through_the_door_for_software_and_is_not_in_its_answer(self, handing: Handing):
        version, path = handing.house.etag(handing.place), f"{handing.place.path}/tasks/{STEP}/credentials"
        refused = handing.house.olga.post(path, {"values": {"api_token": "no!"}}, **{"if-match": version})
        assert (refused.status, refused.problem, "no!" in str(refused.body)) == (422, "values-refused", False)
        said = handing.house.olga.post(path, {"values": {"api_token": LATER}}, **{"if-match": version})
        assert (said.status, said.body["answers"]["api_token"], LATER in str(said.body)) == (200, True, False)
        assert said.body["questions"][0]["type"] == "secret"

    def test_of_the_partner_is_hidden_from_the_customer(self, handing: Handing):
        page = handing.page.replace(STEP, "task.ours")
        assert handing.house.olga.browser.get(page).status == 404
        assert handing.give(handing.house.lead, page=page, token="desk-token").status == 303
        assert handing.item("task.ours")["state"] == "done"

    def test_replays_to_the_same_state(self, handing: Handing):
        with handing.house.installation.work(handing.place.tenant, handing.house.ada) as work:
            assert verify_history(work, handing.place.onboarding_id) == []

    def test_leaves_the_values_nowhere(self, handing: Handing, capfd: pytest.CaptureFixture[str]):
        house, path = handing.house, handing.place.path
        told = [*capfd.readouterr()]
        told += [text for query in (house.installation.cell, house.installation.control) for text in everything(query)]
        for caller in (house.olga, house.lead):
            page = handing.page.rpartition("/tasks/")[0]
            told += [
                caller.browser.get(f"{page}{view}").text for view in ("", "?view=trail", "/steps", f"/tasks/{STEP}")
            ]
            told += [str(caller.get(f"{path}{part}").body) for part in ("", "/items", "/journal")]
        assert len(told) > 100
        for canary in (CANARY, OPEN_CANARY, LATER, "desk-token"):
            forms = (canary, canary.encode().hex())
            assert [text[:80] for text in told if any(form in text for form in forms)] == []


@pytest.fixture
def page(handing: Handing) -> str:
    """Where the risks are accepted."""
    return handing.page.replace(STEP, "task.sign")


@pytest.fixture(scope="module")
def nina(handing: Handing) -> Caller:
    """Another of the customer's, who holds no role in the onboarding."""
    handing.house.doors.member("nina@customers.example", handing.place.tenant, "approver")
    return handing.house.signed_in("nina@customers.example")


class TestSign:
    """In the order in which it happens. Olga and Nina are the customer's; both have to sign."""

    def sign(self, caller: Caller, page: str, **typed: str) -> Answer:
        """Open the page, read, and sign."""
        hidden = {"command_key": str(new_id())} | caller.browser.get(page).hidden
        return caller.browser.post(f"{page}/signature", hidden | {"name": "Olga Ray", "confirmed": "true"} | typed)

    def test_shows_the_text_in_the_readers_language(self, handing: Handing, page: str):
        text = handing.house.olga.browser.get(page).text
        assert "<p>We accept the risks.</p><p>All of them.</p>" in text
        assert 'lang="en" dir="ltr"' in text

    @pytest.mark.parametrize(
        ("typed", "status", "said"),
        [
            ({"confirmed": ""}, 422, "Tick that you have read the text and sign it."),
            ({"name": " "}, 422, "Write your full name, as you sign with it."),
            ({"digest": text_digest("We accept some risks.")}, 409, "The text has changed since you opened it."),
            ({"locale": "ar"}, 409, "The text has changed since you opened it."),
        ],
    )
    def test_is_refused_where_it_was_typed(
        self, handing: Handing, page: str, typed: dict[str, str], status: int, said: str
    ):
        answer = self.sign(handing.house.olga, page, **typed)
        assert answer.status == status
        assert said in answer.text
        assert handing.item("task.sign")["state"] == "open"

    @pytest.mark.parametrize("caller", ["lead", "vera", "gus"])
    def test_is_nobody_elses_to_do(self, handing: Handing, page: str, caller: str):
        given = {"locale": "en", "digest": text_digest(TEXTS["en"])}
        assert self.sign(getattr(handing.house, caller), page, **given).status in {403, 404}

    def test_of_a_role_is_only_for_who_holds_it(self, handing: Handing, page: str, nina: Caller):
        given = {"locale": "en", "digest": text_digest("We agree.")}
        page = page.replace("task.sign", "task.agree")
        answer = self.sign(nina, page, **given)
        assert answer.status == 403
        assert "This is signed by: Client" in nina.browser.get(page).text
        assert self.sign(handing.house.olga, page).status == 303

    def test_takes_both_in_their_own_language_and_each_once(self, handing: Handing, page: str, nina: Caller):
        assert self.sign(handing.house.olga, page).status == 303
        again = self.sign(handing.house.olga, page, locale="en", digest=text_digest(TEXTS["en"]))
        assert again.status == 409
        assert "1 of 2 signatures are there" in again.text
        german = {"name": "Nina Öz", "locale": "de", "digest": text_digest(TEXTS["de"])}
        assert self.sign(nina, page, **german).status == 303
        assert handing.item("task.sign")["answers"] == {"signed": True, "signed_by": "Olga Ray\nNina Öz"}

    def test_keeps_each_text_as_it_was_signed(self, handing: Handing, page: str):
        for caller in (handing.house.olga, handing.house.lead):
            text = caller.browser.get(page).text
            assert "Wir tragen die Risiken." in text
            assert all(text_digest(each) in text for each in TEXTS.values())
            assert "Olga Ray" in text
            assert "the one that was signed" not in text

    def test_goes_through_the_door_for_software_that_a_person_uses(self, handing: Handing):
        place = start(handing.house, "Software")
        path, version = f"{place.path}/tasks/task.agree/signature", {"if-match": handing.house.etag(place)}
        digest = handing.house.olga.get(f"{place.path}/items/task.agree").body["signing"]["digests"]["en"]
        wish = {"name": "Olga Ray", "locale": "en", "digest": digest, "confirmed": True}
        stale = handing.house.olga.post(path, wish | {"digest": "0" * 64}, **version)
        assert (stale.status, stale.problem) == (409, "text-changed")
        said = handing.house.olga.post(path, wish, **version)
        assert (said.status, said.body["state"]) == (200, "done")
        assert said.body["signing"]["signatures"][0]["text"] == "We agree."

    def test_is_in_the_trail_with_the_digest_and_the_version(self, handing: Handing):
        query = "SELECT body, personal FROM {}.trail WHERE action = 'onboarding.text.signed' ORDER BY id"
        rows = handing.house.installation.rows(handing.place.tenant, query)
        told = [row for row in rows if row.body["task"] == "task.sign"]
        assert [(row.body["digest"], row.body["version"], row.body["complete"]) for row in told] == [
            (text_digest(TEXTS["en"]), "1.0.0", False),
            (text_digest(TEXTS["de"]), "1.0.0", True),
        ]
        assert [row.body["name"] for row in told if "name" in str(row.personal)] == ["Olga Ray", "Nina Öz"]

    def test_shows_a_text_that_somebody_has_changed_since(self, handing: Handing, page: str):
        change = "UPDATE {}.record SET body = jsonb_set(body, '{text}', '\"None.\"') WHERE key = %s"
        handing.house.installation.rows(handing.place.tenant, change, text_digest(TEXTS["de"]))
        assert "The text that is kept is not the one that was signed" in handing.house.olga.browser.get(page).text

    def test_can_be_declined_with_a_reason(self, handing: Handing):
        place = start(handing.house, "Declining")
        page = f"/t/{place.tenant.id}/onboardings/{place.onboarding_id}/tasks/task.agree"
        browser = handing.house.olga.browser
        hidden = browser.get(page).hidden
        assert browser.post(f"{page}/refusal", hidden | {"comment": " "}).status == 422
        assert browser.post(f"{page}/refusal", hidden | {"comment": "Not paragraph 2."}).status == 303
        assert "Somebody declined to sign: Not paragraph 2." in browser.get(page).text
        item = handing.house.lead.get(f"{place.path}/items/task.agree").body
        assert (item["state"], item["answers"]) == ("blocked", {"signed": False, "comment": "Not paragraph 2."})
