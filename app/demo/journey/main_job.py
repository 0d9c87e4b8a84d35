"""Drives one onboarding from the closed deal to proven first value, each person through their own browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from app.demo.journey.browser import Browser, JourneyFailed, PageForm, Watch, wait_for
from app.demo.journey.ground import Diary, Ground
from app.demo.journey.people import confirm, link_of, sign_in, wait_for_mail
from app.demo.journey.sale import MISSING, PARTNER, SEGMENT, fresh_sale, missing_facts
from app.demo.world.course import Scene, answer
from app.flow.definition import Definition, Item
from app.flow.reading import read_definition
from app.kernel.actor import Actor
from app.kernel.trail import list_of_onboarding
from app.kernel.work import open_work
from app.partners.rules import default_host
from app.templates.library import open_shelf
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

WAITS_FOR_SLA = "task.describe_environment"
DAYS = 14  # working days before today on which the deal closes
_MOST_DEEDS = 60
_BREACHED = "onboarding.sla.breached"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the journey ended."""

    tenant: Tenant
    onboarding_id: UUID


class MainJob:
    """One run. Its methods are the steps, in order."""

    def __init__(self, ground: Ground, mark: str) -> None:
        self._ground = ground
        self._sale = fresh_sale(mark)
        self._diary = Diary(ground.clock, days_ago=DAYS)
        self._host = default_host("partner", PARTNER.slug)
        self._staff: dict[str, Browser] = {}
        self._customer = self._browser()
        self._definition = _definition()
        self._path = ""
        self._reminded = False

    def run(self) -> Outcome:
        """The whole way. Raises JourneyFailed with what was expected and what was seen."""
        self._close_deal()
        self._find_onboarding()
        self._connect_product()
        self._pass_handoff()
        self._let_customer_in()
        self._work_off()
        self._ground.clock.put_back()
        return Outcome(self._tenant(), UUID(self._path.rpartition("/")[2]))

    def _close_deal(self) -> None:
        ground, crm = self._ground, self._ground.crm(PARTNER.slug)
        self._diary.next_moment()
        deal = crm.create_deal(self._sale, self._diary.today, stage="contractsent")
        hook = f"http://{self._host}:{ground.settings.http_port}/hooks/{ground.tokens[f'{PARTNER.slug}/hook']}"
        ground.subscribe(PARTNER.slug, hook)
        crm.change_deal(deal, {"dealstage": "closedwon"})
        ground.say(f"deal {deal} of {self._sale.account} is closed-won; the CRM tells /hooks with a signature")

    def _find_onboarding(self) -> None:
        """Staff find it on their home page as soon as the tenant is made and the onboarding runs."""
        browser = self._colleague("revops")

        def look() -> str | None:
            home = browser.get("/customers")
            before, found, _rest = home.text.partition(f">{self._sale.account}<")
            return before.rpartition('href="')[2].partition('"')[0] if found else None

        wait_for(f"{self._sale.account} among the customers", look)
        self._path = wait_for("its onboarding", lambda: path if "/onboardings/" in (path := look() or "") else None)
        self._ground.say(f"tenant and onboarding are there: {self._path}")

    def _connect_product(self) -> None:
        token = self._ground.open_account(self._sale.key)
        browser = self._colleague("implementation_lead")
        page = browser.get(f"{self._path.partition('/onboardings/')[0]}/connections")
        form = page.form("/connections", holding=("connector", "product_admin"))
        browser.submit(form, {"name": "Product", "api_token": token})
        self._ground.say("the product is connected; its token is sealed for this tenant")

    def _pass_handoff(self) -> None:
        """The gate blocks, the missing facts are filled in, a person accepts."""
        self._diary.next_moment()
        browser, gate = self._colleague("revops"), f"{self._path}/gates/gate.handoff_quality"
        page = browser.get(gate)
        blocked = [each for each in MISSING if f'#packet-{each}"' in page.text]
        if tuple(blocked) != MISSING or ("decision", "accept") in page.form("/decision").buttons:
            raise JourneyFailed(
                f"the gate to block on {', '.join(MISSING)}", f"{blocked} and {page.form('/decision').buttons}"
            )
        self._ground.say(f"the handoff gate blocks: {', '.join(blocked)} missing")
        for name, text in missing_facts().items():
            page = browser.submit(browser.get(gate).form(f"/packet/{name}"), {"value": text})
        browser.submit(browser.get(gate).form("/decision"), {"decision": "accept", "reason": ""})
        self._ground.say(f"{PARTNER.player('revops').name} accepted the packet")

    def _let_customer_in(self) -> None:
        """The first steps are the partner's; then a mail leads the customer to the branded page."""
        email = self._sale.contact.email
        while not self._ground.mails.messages(email):
            if not self._partner_deed():
                wait_for("the next step", lambda: self._ground.mails.messages(email) or self._partner_deed())
        mail = wait_for_mail(self._ground.mails, email, self._sale.account)
        confirm(self._customer, link_of(mail, "/sign-in/"))
        page = self._customer.get(self._path)
        if PARTNER.brand.name not in page.text:
            raise JourneyFailed(f"the status page in the brand of {PARTNER.brand.name}", page.text[:200])
        self._ground.say(f"{self._sale.contact.first} opened the mail “{mail.subject}” and sees the status page")

    def _work_off(self) -> None:
        """Both sides do what is open until nothing is; each deed of one side redraws the other side's live page."""
        with self._customer.watch(f"{self._path}/stream") as watch:
            for _deed in range(_MOST_DEEDS):
                drawn = watch.drawn
                if self._partner_deed():
                    wait_for("the customer's live page to change", self._something_changes(drawn, watch))
                elif self._is_reached():
                    break
                elif not self._customer_deed() and not self._proof():
                    wait_for("something to do", self._something_changes(drawn, watch))
            else:
                raise JourneyFailed("first value", f"{_MOST_DEEDS} deeds and still work to do")
        self._ground.say(f"first value is proven; the customer's page was redrawn {watch.drawn} times while open")

    @staticmethod
    def _something_changes(drawn: int, watch: Watch) -> Callable[[], bool]:
        """What the worker does in the meantime shows on the live page too."""
        return lambda: watch.drawn > drawn

    def _partner_deed(self) -> bool:
        """One thing that one of the partner's people does, whose turn it is."""
        page = self._colleague("csm").get(self._path)
        for form in page.forms:
            item = self._item_of(form, "completion")
            if item is not None:
                self._diary.next_moment()
                self._send(self._colleague(item.owner), self._path, item, PARTNER.player(item.owner).name)
                return True
        return any(self._decide(key, item) for key, item in self._definition.items.items() if item.kind == "gate")

    def _proof(self) -> bool:
        """The evidence that a milestone asks for, once nothing else is left to do."""
        for form in self._colleague("csm").get(self._path).forms:
            item = self._item_of(form, "proof")
            if item is not None:
                self._diary.next_moment()
                self._send(self._colleague(item.owner), self._path, item, PARTNER.player(item.owner).name)
                return True
        return False

    def _decide(self, key: str, item: Item) -> bool:
        """Press the button that opens a gate, once its reviewer may."""
        review = item.review
        if review is None or review.handoff:
            return False
        browser, path = self._colleague(review.reviewer), f"{self._path}/gates/{key}"
        form = next((each for each in browser.get(path).forms if each.action.endswith("/decision")), None)
        button = next(each.id for each in review.decisions if each.effect == "pass")
        if form is None or ("decision", button) not in form.buttons:
            return False
        self._diary.next_moment()
        browser.submit(form, {"decision": button, "reason": ""})
        self._ground.say(f"{PARTNER.player(review.reviewer).name} decided “{item.title['en']}”: {button}")
        return True

    def _customer_deed(self) -> bool:
        """The customer's next task, through the form behind its link."""
        page = self._customer.get(self._path)
        path = next((link for link in page.links if "/tasks/" in link), None)
        if path is None:
            return False
        item = self._definition.items[path.rpartition("/")[2]]
        if item.key == WAITS_FOR_SLA and not self._reminded:
            self._let_the_timer_fire()
        else:
            self._diary.next_moment()
        self._send(self._customer, path, item, self._sale.contact.first)
        return True

    def _let_the_timer_fire(self) -> None:
        """Nobody answers until the SLA's first rung is due: the clock is moved to just after it."""
        tenant = self._tenant()
        due = self._due(tenant, "SELECT min(due_at) {} AND args->>'timer' = 'environment_answer'")
        if due is None or due > datetime.now(UTC):
            raise JourneyFailed("an SLA timer on the environment form, due before now", due)
        self._diary.jump(due + timedelta(minutes=5))
        wait_for("the SLA timer to fire", lambda: self._count(tenant, _BREACHED))
        if opens := self._due(tenant, "SELECT max(due_at) {} AND kind = 'onboarding.send_waiting'"):
            self._diary.jump(opens + timedelta(minutes=5))  # its reader does not work at that hour
        email = self._sale.contact.email
        wait_for_mail(self._ground.mails, email, "is past its deadline")
        self._reminded = True
        self._ground.say(f"the clock moved to {due:%a %d %b %H:%M}; the SLA timer fired and reminded {email}")

    def _due(self, tenant: Tenant, query: str) -> datetime | None:
        """A moment of the tenant's waiting timers."""
        waiting = "FROM cell.timer WHERE tenant_id = %s AND state = 'waiting'"
        with psycopg.connect(self._ground.settings.cell_urls[tenant.cell], autocommit=True) as connection:
            row = connection.execute(query.format(waiting).encode(), [tenant.id]).fetchone()
        return row[0] if row else None

    def _send(self, browser: Browser, path: str, item: Item, who: str) -> None:
        page = browser.get(path)
        form = page.form(f"/{item.key}/")
        scene = Scene(PARTNER, self._sale, self._diary.today)
        values = {each.id: _typed(answer(scene, each)) for each in item.fields}
        if "statement" in form.fields:
            values["statement"] = PARTNER.proofs.get(item.key, PARTNER.noted)
        form.fields = {name: text for name, text in form.fields.items() if name not in values}
        browser.submit(form, {name: text for name, text in values.items() if text})
        self._ground.say(f"{who} completed “{item.title['en']}”")

    def _item_of(self, form: PageForm, deed: str) -> Item | None:
        """The item whose completion or proof a form sends."""
        parts = form.action.split("/")
        return self._definition.items.get(parts[-2]) if parts[-1] == deed else None

    def _is_reached(self) -> bool:
        return self._count(self._tenant(), "onboarding.first_value.reached") > 0

    def _count(self, tenant: Tenant, action: str) -> int:
        onboarding_id = UUID(self._path.rpartition("/")[2])
        actor = Actor(kind="service", id=tenant.id, name="journey")
        with open_work(self._ground.runtime, tenant, actor, trace_id="journey") as work:
            return sum(entry.action == action for entry in list_of_onboarding(work.session, onboarding_id))

    def _tenant(self) -> Tenant:
        with lookup_session(self._ground.runtime.databases) as (session, _now):
            tenant = find_tenant(session, UUID(self._path.split("/")[2]))
        if tenant is None:
            raise JourneyFailed("the tenant in the directory", "nothing")
        return tenant

    def _colleague(self, role: str) -> Browser:
        """The browser of whoever plays the role, signed in."""
        email = PARTNER.player(role).email
        if email not in self._staff:
            self._staff[email] = self._browser()
            sign_in(self._staff[email], self._ground.mails, email)
            self._ground.say(f"{PARTNER.player(role).name} signed in by mailed link")
        return self._staff[email]

    def _browser(self) -> Browser:
        return Browser(self._ground.settings.http_port, self._host)


def _definition() -> Definition:
    effective = open_shelf(PARTNER.lane(SEGMENT).template).effective(PARTNER.slug)
    return read_definition(effective.document, effective.digest)


def _typed(value: object) -> str:
    """A value as a browser sends it: a box that is not ticked is not sent at all."""
    if isinstance(value, bool):
        return "true" if value else ""
    return "" if value is None else str(value)
