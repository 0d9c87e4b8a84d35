"""From posted forms to what the engine takes: typed answers, evidence, one fact. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from app.connectors.kit.contract import Place
from app.flow.definition import Item
from app.flow.events import Evidenced, Resolution
from app.flow.fields import Field
from app.kernel.errors import Invalid, SlipwayError
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.web.forms import Form
from app.web.translations import mark

# The engine knows no catalogue: its sentences that name no value are marked here, so that readers get them in theirs.
_ENGINE_SAYS = frozenset(
    {
        mark("This is needed."),
        mark("This must be text."),
        mark("This holds a character that cannot be stored."),
        mark("This is not an e-mail address such as name@example.org."),
        mark("This must be a whole number."),
        mark("This must be yes or no."),
        mark("This must be a date such as 2026-01-31."),
        mark("A subject is one line, without control characters."),
        mark("This must be a number such as 12.50."),
        mark("This is not a web address such as https://example.org."),
        mark("This is not a phone number such as +49 30 123456."),
        mark("This is too long."),
        mark("This is too short."),
        mark("This does not have the form that is asked for."),
        mark("Fill in what you want to hand over."),
        mark("Tick that you have read the text and sign it."),
        mark("Write your full name, as you sign with it."),
        mark("Write down why you do not sign: whoever wrote the text reads it."),
        mark("You have signed this already; nobody signs a text twice."),
        mark("The text has changed since you opened it. Nothing was signed: read it again, then sign."),
        mark("Your answers lead to this question, too."),
        mark("This needs evidence: write what proves it, or give a link to it."),
        mark("A link to evidence must start with https://."),
        mark("Write down why: this decision is kept with its reason."),
        mark("Write down why: a date is kept with its reason."),
        mark("This day is over; choose one that is still to come."),
        mark("One of the two parties does not work on that day; choose a working day of both."),
        mark("The two parties share no working day in the next 400 days; check both calendars."),
        mark("This item is finished; its date cannot be moved any more."),
        mark("Nobody has chosen a date for this item; it follows the plan already."),
        mark("This onboarding has changed since you read it; look at it again, then decide."),
        mark("This is not a day."),
        mark("Choose a role or a person."),
        mark("Choose a moment within the next year."),
        mark("Choose the stage to roll back to."),
        mark("Choose how the exception ends."),
        mark("Choose one of the people who are offered."),
        mark("Write the moment as date and time, such as 2026-03-12 14:00."),
        mark("This person holds no role of that side here."),
        mark("Somebody has responded to this exception already."),
        mark("This exception is resolved already, or does not exist."),
        mark("Nothing is proposed for this exception."),
        mark("Nothing waits for this exception that could be tried again."),
        mark("Work waits for this exception: retry the item, count it as done, or skip it."),
        mark("This item is settled already; close the exception instead."),
        mark("It is not this item's turn yet; it cannot be counted as done."),
        mark("This onboarding is not on hold."),
        mark("Something else is proposed by now; look at it, then decide."),
        mark("Something is proposed for this exception already; it is decided first."),
        mark("The action takes no such value."),
        mark("The action does not take this value."),
        mark("These are the values that it has already. Change one, or just try again."),
        mark("The action cannot be tried at once: something else holds it, or nothing does."),
        mark("Write down why this onboarding is put on hold."),
        mark("Write down why this onboarding stops."),
    }
)
_GENERAL = mark("This cannot be used as it is.")


def typed_answers(item: Item, form: Form) -> dict[str, Any]:
    """The answers of a task's own questions, each as its field's type asks; what is not a number stays text."""
    typed = (field for field in item.fields if field.type != "files")  # those are handed over by forms of their own
    return {field.id: _typed(field, form) for field in typed if form.first(field.id) or field.type == "boolean"}


class MoreQuestions(Invalid):
    """What was answered leads to questions that were not on the page yet."""


def check_all_were_asked(asked: Sequence[Field], form: Form) -> None:
    """A page without scripts shows what an answer leads to when it was sent. Raises MoreQuestions.

    Where a form does not say what it showed, it showed everything.
    """
    shown = form.first("asked").split(",")
    typed = [field for field in asked if field.type != "files"]
    fresh = [field for field in typed if field.id not in shown] if form.first("asked") else []
    if fresh:
        message = "Your answers lead to this question, too."
        raise MoreQuestions(message, errors=[(f"/answers/{field.id}", message) for field in fresh])


def evidence_of(item: Item, form: Form) -> Evidenced | None:
    """The evidence a person gave, where the item asks for it."""
    if item.evidence is None or item.evidence.source != "person":
        return None
    return Evidenced(statement=form.first("statement").strip(), link=form.first("link").strip())


def typed_value(picture: Picture, name: str, form: Form) -> Any:
    """One fact of the packet as its field asks; an empty one is withdrawn. Raises OnboardingMissing."""
    for entry in picture.definition.handoff:
        if entry.field.id == name:
            value = form.first("value").strip()
            return None if not value and entry.field.type != "boolean" else _convert(entry.field, value)
    raise OnboardingMissing("There is no such fact in this packet.")


def in_words(message: str, say: Callable[[str], str]) -> str:
    """The engine's sentence in the reader's language; one that names values has only its general translation."""
    if message in _ENGINE_SAYS:
        return say(message)
    general = say(_GENERAL)
    return message if general == _GENERAL else general


def wrong_fields(error: SlipwayError, say: Callable[[str], str]) -> list[tuple[str, str]]:
    """Which field is wrong and why; trouble without a place stands at the evidence."""
    places = [(place.rpartition("/")[2], in_words(sentence, say)) for place, sentence in error.errors]
    return places or [("statement", in_words(error.message, say))]


def told_at(
    error: SlipwayError, fields: Sequence[Mapping[str, Any]], say: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Which field of a form is wrong and why; what has no place in it stands at its words.

    Where things have moved on, no field is wrong.
    """
    ids = [str(field["id"]) for field in fields]
    words = next((str(field["id"]) for field in fields if field["type"] == "long_text"), "")
    if error.status != Invalid.status:
        return [("", say(error.message))]
    said = error.errors or [("", error.message)]
    return [(_named(place, ids) or words, in_words(sentence, say)) for place, sentence in said]


def _named(pointer: str, ids: Sequence[str]) -> str:
    """The field that a JSON Pointer means: by its whole path, or by its last part."""
    ways = (pointer.strip("/").replace("/", "."), pointer.rpartition("/")[2])
    return next((way for way in ways if way in ids), "")


def _typed(field: Field, form: Form) -> Any:
    if field.type == "choices":
        return "\n".join(each.strip() for each in form.every(field.id) if each.strip())
    return _convert(field, form.first(field.id).strip())


def _convert(field: Field, text: str) -> Any:
    if field.type == "boolean":
        return text == "true"
    if field.type == "integer" and text.lstrip("-").isdecimal():
        return int(text)
    if field.type == "decimal" and text.count(",") == 1 and "." not in text:
        return text.replace(",", ".")  # as most of Europe types it
    return text


class UnknownResolution(Invalid):
    """An exception ends by retry, done, skip or close, by nothing else."""


def resolution_of(word: str) -> Resolution:
    """The resolution of that name. Raises UnknownResolution."""
    for known in get_args(Resolution):
        if known == word:
            return cast("Resolution", word)
    raise UnknownResolution("Choose how the exception ends.")


class UnknownPerson(Invalid):
    """What was sent is not the id of anybody."""


def person_of(text: str) -> UUID | None:
    """The person that was chosen; None for nobody. Raises UnknownPerson."""
    try:
        return UUID(text) if text.strip() else None
    except ValueError:
        message = "Choose one of the people who are offered."
        raise UnknownPerson(message, errors=[("/person", message)]) from None


class UnknownMoment(Invalid):
    """What was sent is not a date with a time."""


def moment_of(text: str, zone: str) -> datetime:
    """The moment that was typed, in that time zone where it names none. Raises UnknownMoment."""
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        message = "Write the moment as date and time, such as 2026-03-12 14:00."
        raise UnknownMoment(message, errors=[("/at", message)]) from None
    return typed if typed.tzinfo else typed.replace(tzinfo=ZoneInfo(zone))


def typed_input(places: Mapping[str, Place], form: Form) -> dict[str, Any]:
    """What was typed into the places of an action; an empty one leaves its value out."""
    typed = {name: form.first(f"input.{name}").strip() for name in places}
    return {name: _plain(place, typed[name]) for name, place in places.items()}


def _plain(place: Place, text: str) -> str | int | bool | None:
    if place.type == "boolean":
        return text == "true"
    if not text:
        return None
    return int(text) if place.type == "integer" and text.lstrip("-").isdecimal() else text


def statement(text: str) -> Evidenced | None:
    """A sentence as evidence, if there is one."""
    return Evidenced(statement=text.strip()) if text.strip() else None
