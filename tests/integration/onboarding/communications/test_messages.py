"""Messages with a policy over the rows and real SMTP: who gets which words, who is asked, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.flow import events as flow
from app.flow.communications.sending import NotTheApprover
from app.flow.fields import AnswersRefused
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.notifications.mail_folder import StoredMail
from app.onboarding import operations
from app.onboarding.operations import StartRequest, start_onboarding
from app.onboarding.operations.operator.history import verify_history
from app.onboarding.queries.customer import task_page
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.queries.waiting import list_waiting
from app.onboarding.queries.wire.items import get_item
from app.templates.operations import pin
from app.templates.overlay import apply_overlays
from app.web.rendering import render
from app.web.translations import LOCALES, translations
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of
from tests.look.brands import VIEWS
from tests.unit.flow.communications.sample import TASK, template
from tests.unit.flow.running import BERLIN

RISKY = "approval: {role: cs_leader}"
KEY = "0192f0c1-7d1e-7000-8000-000000000001"
WORDS = {"subject": "Los: <b>Auftakt</b>", "body": "Dear both,\n\nwe meet on Monday & Tuesday.\nBring <i>all</i>."}


Person = dict[str, str]
Reader = Callable[..., Person]


def known(actor: Actor, name: str, locale: str = "en", *, side: str = "customer") -> Person:
    """Somebody who may sign in, under an address of their own: no mail of another test is theirs."""
    email = f"{name}.{new_id().hex[-8:]}@talk.example"
    return {"id": str(actor.id), "name": name.title(), "email": email, "locale": locale, "side": side}


class Talk:
    """A customer's onboarding with one message; `people` are who holds which role beside the lead."""

    def __init__(
        self, shop: MainJob, tenant: Tenant, *more: str, people: dict[str, list[Person]], **policy: Any
    ) -> None:
        self.shop, self.tenant = shop, tenant
        effective = apply_overlays(template(*more, **policy))
        lead = known(shop.lead, "dana", side="partner")
        roles = {"onboarding_lead": [lead], "lead": [lead], **people}
        started = flow.Started(
            by=flow.By(actor=shop.lead.label), inputs={}, packet={"outcome": "Calm"},
            partner=BERLIN, customer=BERLIN, follows=True,
        )  # fmt: skip
        with shop.installation.work(tenant, shop.lead) as work:
            request = StartRequest(new_id(), "With a message", pin(work, effective), started, roles, {})
            self.id: UUID = start_onboarding(work, request).id
            operations.decide_gate(work, onboarding_id=self.id, gate="gate.ready", decision="accept")
        shop.run()

    def send(self, actor: Actor | None = None, **words: Any) -> None:
        """Complete the task, as the lead unless somebody else does."""
        with self.shop.installation.work(self.tenant, actor or self.shop.lead) as work:
            operations.complete_task(work, onboarding_id=self.id, task=TASK, answers=words or WORDS)
        self.shop.run()

    def rows(self, query: str) -> list[Any]:
        """Rows of this onboarding."""
        return self.shop.installation.rows(self.tenant, query, self.id)

    def letters(self) -> list[Any]:
        """The letters of its message."""
        return self.rows("SELECT * FROM {}.message WHERE onboarding_id = %s AND kind = 'communication' ORDER BY id")

    def mail(self, person: Person) -> StoredMail:
        """The one mail that a person got."""
        [mail] = self.shop.mail.messages(to=person["email"])
        return mail

    def entry(self, language: str = "en", actor: Actor | None = None) -> tuple[dict[str, Any], str]:
        """The step on the partner's page, and the page."""
        with self.shop.installation.work(self.tenant, actor or self.shop.lead) as work:
            seen = get_picture(work, self.id, say=translations(language).gettext, language=language)
            context = partner_page(work, seen, "plan")
        own = {"command_key": KEY, "names": {"partner": "Northwind", "customer": self.tenant.name}}
        page = "onboarding/partner_onboarding.html"
        text = render(page, context | own, locale=LOCALES[language], brand_view=VIEWS["northwind"])
        found = [each for stage in context["stages"] for each in stage["entries"] if each["key"] == TASK]
        return found[0], text


@pytest.fixture(scope="module")
def tenant(shop: MainJob) -> Tenant:
    """A customer's workspace."""
    deal = shop.sell(company="Talk", email="talk@contoso.example")
    shop.tell(deal)
    shop.run()
    return shop.started(deal)[0]


@pytest.fixture(scope="module")
def reader(shop: MainJob, tenant: Tenant) -> Reader:
    """Makes readers of the customer's side."""
    return partial(known, customer_of(shop, tenant))


def header(mail: StoredMail, name: str) -> str:
    return dict(mail.headers)[name]


class TestAutomatic:
    def test_reaches_each_reader_once_in_their_language_and_answers_reach_whom_it_names(
        self, shop: MainJob, tenant: Tenant, reader: Reader
    ):
        maria, ben, petra = reader("maria", "de"), reader("ben"), known(shop.staff["tom"], "petra", side="partner")
        people = {"client": [maria, ben], "lead": [petra, known(shop.lead, "dana", side="partner")]}
        talk = Talk(shop, tenant, people=people, mode="automatic", kind="kickoff_nudge")
        german, english = talk.mail(maria), talk.mail(ben)
        assert (german.subject, english.subject) == ("Ihr Auftakt", "Your kickoff")
        assert "Bitte wählen Sie einen Tag." in german.text
        assert "Please choose a day." in english.html
        assert header(german, "Reply-To") == f"Petra <{petra['email']}>"
        assert petra["email"] in english.text
        assert german.sender.startswith("Northwind <no-reply@")
        assert "slipway" not in f"{german}{english}".lower()
        assert [letter.state for letter in talk.letters()] == ["sent", "sent"]

    def test_is_kept_with_the_task_and_in_the_trail(self, shop: MainJob, tenant: Tenant, reader: Reader):
        talk = Talk(shop, tenant, people={"client": [reader("maria")]}, mode="automatic", kind="kickoff_nudge")
        [item] = talk.rows("SELECT * FROM {}.item WHERE onboarding_id = %s AND key = 'task.tell'")
        assert (item.state, item.settled_by, item.request) == ("done", "system", 1)
        assert item.answers == {"subject": "Your kickoff", "body": "Please choose a day."}
        query = "SELECT body FROM {}.trail WHERE onboarding_id = %s AND action = 'onboarding.communication.sent'"
        [told] = talk.rows(query)
        assert (told.body["role"], told.body["people"], told.body["replies_to"]) == ("client", ["Maria"], "Dana")
        assert told.body["text"]["de"] == "Bitte wählen Sie einen Tag."
        with shop.installation.work(tenant, shop.lead) as work:
            verify_history(work, talk.id)

    def test_goes_to_the_lead_who_is_told_why_where_nobody_holds_its_role(self, shop: MainJob, tenant: Tenant):
        petra = known(shop.staff["tom"], "petra", side="partner")
        talk = Talk(shop, tenant, people={"onboarding_lead": [petra]}, mode="automatic", kind="kickoff_nudge")
        mail = talk.mail(petra)
        assert "Nobody holds the role “Client” in With a message" in mail.text
        assert "Please choose a day." in mail.text

    def test_of_a_sandbox_is_kept_and_sent_to_nobody(self, shop: MainJob, tenant: Tenant, reader: Reader):
        maria, kind = reader("maria"), "UPDATE control.tenant SET kind = %s WHERE id = %s"
        shop.installation.control(kind, "sandbox", tenant.id)
        talk = Talk(shop, tenant, people={"client": [maria]}, mode="automatic", kind="kickoff_nudge")
        shop.installation.control(kind, "customer", tenant.id)
        assert [letter.state for letter in talk.letters()] == ["kept"]
        assert shop.mail.messages(to=maria["email"]) == []

    def test_is_kept_back_by_its_policy_and_told(self, shop: MainJob, tenant: Tenant, reader: Reader):
        stop, maria = "suppress: 'packet.outcome == \"Calm\"'", reader("maria")
        talk = Talk(shop, tenant, stop, people={"client": [maria]}, mode="automatic", kind="kickoff_nudge")
        assert talk.letters() == []
        query = "SELECT 1 FROM {}.trail WHERE onboarding_id = %s AND action = 'onboarding.communication.kept_back'"
        assert len(talk.rows(query)) == 1
        entry, text = talk.entry()
        assert (entry["kept_back"], entry["message"]) == (True, None)
        assert "Not sent: its policy keeps this message back." in text


class TestDraft:
    def test_goes_out_as_it_was_written_and_once(self, shop: MainJob, tenant: Tenant, reader: Reader):
        maria, ben = reader("maria", "de"), reader("ben")
        talk = Talk(shop, tenant, people={"client": [maria, ben]})
        assert talk.letters() == []
        talk.send()
        with pytest.raises(NotOpen):
            talk.send()
        for mail in (talk.mail(maria), talk.mail(ben)):
            assert mail.subject == WORDS["subject"]
            assert "we meet on Monday & Tuesday.\nBring <i>all</i>." in mail.text
            assert "we meet on Monday &amp; Tuesday.<br>Bring &lt;i&gt;all&lt;/i&gt;." in mail.html
        assert "Guten Tag Maria!" in talk.mail(maria).text
        assert len(talk.letters()) == 2

    def test_begins_no_header_and_lets_nothing_empty_or_huge_out(self, shop: MainJob, tenant: Tenant, reader: Reader):
        talk = Talk(shop, tenant, people={"client": [reader("maria")]})
        for words in (
            {"subject": "Hi\r\nBcc: eve@evil.example", "body": "See you."},
            {"subject": "Hi", "body": " "},
            {"subject": "Hi", "body": "x" * 20_000},
            {"subject": "Hi", "body": "From {provider}"},
        ):
            with pytest.raises(AnswersRefused):
                talk.send(None, **words)
        assert talk.letters() == []

    def test_is_not_the_customers_to_send_or_to_read_before(self, shop: MainJob, tenant: Tenant, reader: Reader):
        talk, customer = Talk(shop, tenant, people={"client": [reader("maria")]}), customer_of(shop, tenant)
        with pytest.raises(NotYourTask):
            talk.send(customer)
        with shop.installation.work(tenant, customer) as work:
            seen = get_picture(work, talk.id)
            assert get_item(work, seen, TASK).sends is None
            with pytest.raises(OnboardingMissing):
                task_page(work, seen, TASK)

    def test_is_shown_with_its_policy_in_the_readers_language(self, shop: MainJob, tenant: Tenant, reader: Reader):
        talk = Talk(shop, tenant, people={"client": [reader("maria", "de"), reader("ben")]})
        for language, words in (
            (
                "en",
                ["Maria", "reads German", "Not needed.", "The day that is agreed.", "Dana", "Send the message"],
            ),
            ("de", ["liest Deutsch", "Nicht nötig.", "Darf nicht versprechen", "Nachricht senden"]),
        ):
            entry, text = talk.entry(language)
            assert [word for word in words if word not in text] == []
            assert entry["form"]["given"] == {"subject": "Ihr Auftakt", "body": "Bitte wählen Sie einen Tag."}
        assert 'value="Ihr Auftakt"' in text


class TestApproval:
    def test_is_asked_of_who_can_give_it_and_only_they_can_send(self, shop: MainJob, tenant: Tenant, reader: Reader):
        maria, petra = reader("maria"), known(shop.staff["tom"], "petra", side="partner")
        people = {"client": [maria], "cs_leader": [petra]}
        talk = Talk(shop, tenant, RISKY, people=people, kind="go_live_date")
        [asked] = shop.mail.messages(to=petra["email"])
        assert "Tell" in asked.subject
        with pytest.raises(NotTheApprover):
            talk.send()
        assert talk.letters() == []
        with shop.installation.work(tenant, shop.lead) as work:
            operations.claim_item(work, onboarding_id=talk.id, item=TASK)
        entry, text = talk.entry()
        assert (entry["form"], entry["owner"]) == (None, "Petra")
        assert "A message of this kind always needs approval." in text
        with shop.installation.work(tenant, shop.lead) as work:
            [line] = [each for each in list_waiting(work) if (each["onboarding_id"], each["key"]) == (talk.id, TASK)]
            shown = get_item(work, get_picture(work, talk.id), TASK).sends
        assert line["role"] == "cs_leader"
        assert shown is not None
        assert (shown.approval, shown.by_itself, shown.unclear, shown.to) == ("cs_leader", False, False, "client")

    def test_says_why_it_is_needed_now(self, shop: MainJob, tenant: Tenant, reader: Reader):
        rule = "approval: {role: cs_leader, when: 'packet.outcome == \"Calm\"'}"
        talk = Talk(shop, tenant, rule, people={"client": [reader("maria")]})
        entry, text = talk.entry()
        assert entry["message"]["approval"]["why"] == "Its policy asks for approval now: Outcome: Calm."
        assert "Nobody holds this role here" in text

    def test_sends_what_its_holder_has_read(self, shop: MainJob, tenant: Tenant, reader: Reader):
        maria, dana = reader("maria"), known(shop.lead, "dana", side="partner")
        people = {"client": [maria], "cs_leader": [dana]}
        talk = Talk(shop, tenant, RISKY, people=people, kind="go_live_date")
        entry, _text = talk.entry()
        assert entry["form"] is not None
        talk.send()
        assert talk.mail(maria).subject == WORDS["subject"]
        with shop.installation.work(tenant, shop.lead) as work:
            verify_history(work, talk.id)


class TestUnclear:
    def test_sends_nothing_and_says_so(self, shop: MainJob, tenant: Tenant, reader: Reader):
        rule = "suppress: 'inputs.segment == \"large\"'"
        talk = Talk(shop, tenant, rule, people={"client": [reader("maria")]}, mode="automatic", kind="kickoff_nudge")
        assert talk.letters() == []
        entry, text = talk.entry()
        assert (entry["state"], entry["form"], entry["message"]["unclear"]) == ("waiting", None, True)
        assert "cannot be judged now" in text
        query = "SELECT type FROM {}.exception WHERE subject_id = %s"
        assert "criterion_error" in [row.type for row in talk.rows(query)]
