"""An onboarding that waits for its customer, with three people on the rungs of the ladder. Not a test."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.identity.operations import ensure_person
from app.notifications.mail_folder import StoredMail
from app.onboarding import operations
from app.onboarding.queries.picture import Picture
from app.partners.operations import assign_role
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of, do, picture_of

MOMENT = timedelta(seconds=5)
TIMER = "environment_answer"
STEP = "task.describe_environment"
ANSWERS = {"workplaces": 30, "sites": 2, "identity": "entra", "admin_email": "it@contoso.example"}
_BEFORE_IT = ("gate.handoff_quality", "task.assign_team", "task.confirm_billing", "task.schedule_kickoff")


@dataclass(frozen=True)
class Ladder:
    """One onboarding whose customer is asked, and the mailboxes of its three rungs."""

    shop: MainJob
    tenant: Tenant
    onboarding_id: UUID
    rungs: tuple[str, str, str]

    @property
    def now(self) -> datetime:
        """Business time."""
        with self.shop.installation.work(self.tenant, self.shop.lead) as work:
            return work.now

    @property
    def picture(self) -> Picture:
        """The onboarding."""
        return picture_of(self.shop, self.tenant, self.onboarding_id)

    @property
    def due_at(self) -> datetime:
        """When the armed rung is due."""
        return self.picture.state.timers[TIMER].due_at

    def wait_until(self, moment: datetime) -> None:
        """Business time goes on to that moment, and all that is due then is done."""
        self.shop.installation.move_clock(moment - self.now)
        self.shop.run()

    def wait_for_morning(self) -> None:
        """Business time goes on to where both sides work; it stays where they do."""
        now = self.now
        self.wait_until(self.picture.state.time_for("partner").add_business(now, timedelta(0)) + MOMENT)

    def reminders(self) -> list[str]:
        """Who was reminded of the customer's step, in order of arrival."""
        return [mail.recipients[0] for mail in reversed(self.shop.mail.messages()) if self._reminds(mail)]

    def _reminds(self, mail: StoredMail) -> bool:
        title = self.picture.definition.items[STEP].title["en"]
        return mail.recipients[0] in self.rungs and mail.subject == f"Reminder: {title}"

    def mails(self) -> list[str]:
        """Who was told that the deadline is over, in order of arrival."""
        came = [(mail.recipients[0], " ".join(mail.text.split())) for mail in reversed(self.shop.mail.messages())]
        return [to for to, text in came if to in self.rungs and "past its deadline" in text]

    def act(self) -> None:
        """The customer answers."""
        with self.shop.installation.work(self.tenant, customer_of(self.shop, self.tenant)) as work:
            operations.complete_task(work, onboarding_id=self.onboarding_id, task=STEP, answers=ANSWERS)

    def rows(self, statement: str) -> list[Any]:
        """Rows of the workspace."""
        return self.shop.installation.rows(self.tenant, statement)


def open_ladder(shop: MainJob, name: str) -> Ladder:
    """Sell to that company and do what comes before the customer's step; nothing is left to be mailed."""
    email = f"{name}@{name}.example"
    deal = shop.sell(company=name.title(), email=email)
    shop.tell(deal)
    shop.run()
    tenant, onboarding_id = shop.started(deal)
    rungs = (email, f"lead@{name}-partner.example", f"boss@{name}-partner.example")
    ladder = Ladder(shop, tenant, onboarding_id, rungs)
    for key in _BEFORE_IT:
        seen = ladder.picture
        assert do(shop, tenant, seen, seen.definition.items[key])
    _name(ladder)
    shop.run()
    assert ladder.picture.of(STEP).state == "open"
    return ladder


def _name(ladder: Ladder) -> None:
    """Give the partner's two rungs to a person each, who can sign in there."""
    shop, [row] = ladder.shop, ladder.rows("SELECT people FROM {}.onboarding")
    people = dict(row.people)
    for role, email in zip(("onboarding_lead", "cs_leader"), ladder.rungs[1:], strict=True):
        person_id = ensure_person(shop.runtime.databases, email=email, name=role, locale="en")
        setter = replace(shop.lead, name="set-up")
        assign_role(
            shop.runtime.databases,
            setter,
            person_id=person_id,
            organisation_id=shop.organisation_id,
            role="onboarding_lead",
        )
        people[role] = [{"id": str(person_id), "name": role, "email": email, "locale": "en", "side": "partner"}]
    shop.installation.rows(ladder.tenant, "UPDATE {}.onboarding SET people = %s::jsonb", json.dumps(people))
