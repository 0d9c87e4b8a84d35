"""A message before it goes out, as staff see it: who gets it, its words, and what its policy says about it now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from babel import Locale

from app.flow.communications.policy import SUPPRESSED, Standing, communication_of, standing_of
from app.flow.communications.text import in_language
from app.flow.criteria import Criterion, CriterionFailed
from app.flow.definition import RISKY_KINDS, Communication, Item
from app.flow.fields import Field, Value
from app.flow.steps.facts import Facts
from app.kernel.work import Work
from app.onboarding.people import Holder, acting, find_answering, holders
from app.onboarding.queries.picture import Picture
from app.web.translations import mark, negotiate

_KINDS: Final = {
    "kickoff_nudge": mark("Nudge to schedule the kickoff"),
    "missing_document": mark("Reminder of a missing document"),
    "task_reminder": mark("Reminder of a task"),
    "task_completed": mark("Confirmation of a finished task"),
    "inactivity_alert": mark("Alert that nothing happens"),
    "news": mark("News"),
    "go_live_date": mark("Another go-live date"),
    "scope_change": mark("Change of scope"),
    "executive_escalation": mark("Escalation to executives"),
    "commercial_commitment": mark("Commercial commitment"),
    "renewal_or_refund": mark("Renewal, refund or downgrade"),
    "customer_at_fault": mark("Blocked because of something the customer did not do"),
}
_RISKY = mark("A message of this kind always needs approval.")
_ALWAYS = mark("Its policy always asks for approval.")
_NOW = mark("Its policy asks for approval now: %(facts)s.")
_SHOWN: Final = frozenset({"waiting", "open", "blocked"})


def message_of(picture: Picture, item: Item) -> dict[str, Any] | None:
    """The message of a task that has not been sent yet, with its policy in words; None for every other item."""
    message, state = communication_of(picture.definition, item), picture.of(item.key)
    if message is None or state.state not in _SHOWN:
        return None
    standing, readers = judged(picture, item), holders(picture.onboarding, message.to)
    answering = find_answering(picture.onboarding, message.replies_to)
    unheld = not picture.onboarding.people.get(message.to)
    return {
        "kind": picture.say(_KINDS[message.kind]),
        "readers": [{"name": reader.name, "language": _language_of(picture, reader)} for reader in readers],
        "names": ", ".join(reader.name for reader in readers),
        "unheld": dict(picture.definition.roles[message.to].label) if unheld else "",
        "by_itself": message.mode == "automatic" and state.state == "waiting",
        "unclear": standing is None,
        "approval": _approval(picture, item, standing) if standing else None,
        "may": dict(message.may_promise),
        "must_not": dict(message.must_not_promise),
        "answering": answering.name if answering else "",
    }


def judged(picture: Picture, item: Item) -> Standing | None:
    """What the policy of a task that sends says now; None where a rule of it cannot be judged."""
    facts = Facts(picture.definition, picture.state).of(item)
    try:
        return standing_of(picture.definition, item, picture.of(item.key), facts)
    except CriterionFailed:
        return None


def may_send(work: Work, picture: Picture, item: Item) -> bool:
    """Whether this person may send it now, as far as its policy goes."""
    standing = judged(picture, item)
    if standing is None:
        return False
    return standing.approval is None or standing.approval in acting(work, picture.onboarding).roles


def words_of(picture: Picture, item: Item) -> dict[str, Value]:
    """What stands in the form at first: what was written before, else the template's words as its reader reads them."""
    message, before = communication_of(picture.definition, item), picture.of(item.key).answers
    if message is None or before:
        return dict(before)
    readers = holders(picture.onboarding, message.to)
    language = negotiate(None, readers[0].locale).language if readers else picture.language
    return {"subject": in_language(message.subject, language), "body": in_language(message.body, language)}


def was_kept_back(picture: Picture, item: Item) -> bool:
    """Whether the policy of its message is why the item was left out."""
    state = picture.of(item.key)
    return item.sends is not None and state.state == "skipped" and state.reason == SUPPRESSED


def _approval(picture: Picture, item: Item, standing: Standing) -> dict[str, Any] | None:
    """Whose approval it needs now, and why; None where it needs none."""
    message = communication_of(picture.definition, item)
    if standing.approval is None or message is None:
        return None
    held = picture.onboarding.people.get(standing.approval) or []
    return {
        "role": dict(picture.definition.roles[standing.approval].label),
        "people": ", ".join(str(entry["name"]) for entry in held),
        "why": _why(picture, item, message),
    }


def _why(picture: Picture, item: Item, message: Communication) -> str:
    if message.kind in RISKY_KINDS:
        return picture.say(_RISKY)
    when = message.approval.when if message.approval else None
    facts = _facts_of(picture, item, when) if when else []
    return picture.say(_NOW) % {"facts": "; ".join(facts)} if facts else picture.say(_ALWAYS)


def _facts_of(picture: Picture, item: Item, rule: Criterion) -> list[str]:
    """What a rule looks at, with what it sees there: its fields in words."""
    known, facts = picture.definition.fields, Facts(picture.definition, picture.state).of(item)
    named = dict.fromkeys(name.removesuffix(".given") for name in rule.names)
    return [
        f"{picture.read(known[name].label)}: {_in_words(picture, known[name], facts.get(name))}"
        for name in named
        if name in known
    ]


def _in_words(picture: Picture, field: Field, value: object) -> str:
    if value is None:
        return picture.say(mark("not given"))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return picture.say(mark("Yes")) if value else picture.say(mark("No"))
    chosen = next((option for option in field.options if option.id == value), None)
    return picture.read(chosen.label) if chosen else str(value)


def _language_of(picture: Picture, reader: Holder) -> str:
    return negotiate(None, reader.locale).get_display_name(Locale(picture.language)) or ""
