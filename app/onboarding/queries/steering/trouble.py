"""What may be done about an exception, as forms in the reader's words: only what this person has now is offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.access.decisions import can
from app.access.permissions import Permission
from app.connectors.kit.contract import Place
from app.flow.fields import Value
from app.flow.state import OpenedException, Proposal
from app.flow.steps.resolving import may_have_had_effect
from app.kernel.actor import Actor
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.steering.choices import people_choice, stage_choice
from app.onboarding.queries.steering.edited import find_editable
from app.web.translations import mark

Form = dict[str, Any]
_RESOLUTIONS = {
    "retry": mark("Try again with other values"),
    "done": mark("It was done"),
    "skip": mark("Leave it out"),
    "roll_back": mark("Roll back to a stage"),
}
_CHOICES = (
    ("retry", mark("Try again"), mark("The step is tried once more.")),
    ("done", mark("It was done"), mark("The step counts as done; your note is its evidence.")),
    ("skip", mark("Leave it out"), mark("The step is left out; what follows can begin.")),
    ("close", mark("Close it"), mark("Only the exception ends; the step stays as it is.")),
)


def done_about(work: Work, picture: Picture, opened: OpenedException | None, path: str) -> Form:
    """What was done about an exception, and each form that this person has for it now; `path` is its address."""
    forms = _forms(work, picture, opened, path)
    proposal = _proposal(work, picture, opened)
    if proposal is not None and "agreement" in forms:
        proposal["form"] = forms["agreement"]
    return {
        "response": _response(picture, opened),
        "retry_at": opened.retry_at if opened and opened.is_open else None,
        "proposal": proposal,
        "main": forms.get("resolution"),
        "ways": [form for word, form in forms.items() if word not in {"resolution", "agreement"}],
        "forms": list(forms.values()),
    }


def _response(picture: Picture, opened: OpenedException | None) -> dict[str, Any] | None:
    """Who responded first, when, and whether by its time; None while nobody has."""
    if opened is None or opened.answered_at is None:
        return None
    by = picture.name_of(opened.answered_by)
    return {"at": opened.answered_at, "by": by, "in_time": opened.answered_in_time}


def _proposal(work: Work, picture: Picture, opened: OpenedException | None) -> dict[str, Any] | None:
    """What is proposed, by whom and why; None where nothing is."""
    if opened is None or not opened.is_open or opened.proposal is None:
        return None
    wanted = opened.proposal.resolved
    return {
        "what": picture.say(_RESOLUTIONS.get(wanted.resolution, wanted.resolution)),
        "by": picture.name_of(wanted.by.actor),
        "at": opened.proposal.at,
        "reason": wanted.reason,
        "input": _input(picture, wanted.input),
        "warning": _warning(picture, opened) if wanted.input else "",
        "own": wanted.by.actor == work.actor.label,
        "form": None,
    }


def _input(picture: Picture, values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The other values that are proposed, each by its name."""
    said = {True: picture.say(mark("Yes")), False: picture.say(mark("No")), None: picture.say(mark("Left out"))}
    return [
        (name.replace("_", " ").capitalize(), said[value] if value is None or isinstance(value, bool) else str(value))
        for name, value in values.items()
    ]


def _forms(work: Work, picture: Picture, opened: OpenedException | None, path: str) -> dict[str, Form]:
    """The forms that this person has now, by their words."""
    if opened is None or not opened.is_open or not can(work.rights, Permission.EXCEPTION_RESOLVE):
        return {}
    running, forms = picture.state.phase == "running", list[Form]()
    waits = running and opened.blocks and picture.of(opened.item).state == "blocked"
    if running and opened.proposal is None:
        forms += [_resolution(picture, path), _roll_back(picture, path)]
        forms += _edited(work, picture, opened, path) if waits else []
    elif running and opened.proposal is not None and _may_agree(work.actor, opened.proposal):
        forms.append(_agreement(picture, opened.proposal, path))
    if opened.answered_at is None:
        forms.append(_answer(picture, path))
    if waits:
        forms.append(_retry(picture, path))
    forms.append(_route(picture, path))
    order = ("resolution", "agreement", "answer", "edited", "retry", "route", "rollback")
    return {form["id"]: form for form in sorted(forms, key=lambda form: order.index(form["id"]))}


def _may_agree(actor: Actor, proposal: Proposal) -> bool:
    return actor.kind == "person" and proposal.resolved.by.actor != actor.label


def _resolution(picture: Picture, path: str) -> Form:
    note = _note(picture) | {"help": picture.say(mark("What you found and what was done. Is kept in the trail."))}
    say = picture.say
    choices = [{"id": word, "label": say(label), "consequence": say(after)} for word, label, after in _CHOICES]
    return _form(picture, "resolution", f"{path}/resolution", fields=[note]) | {"choices": choices}


def _agreement(picture: Picture, proposal: Proposal, path: str) -> Form:
    reason = {"label": picture.say(mark("Reason")), "required": False, "conditional": True}
    reason["help"] = picture.say(mark("Needed to decline it."))
    form = _form(picture, "agreement", f"{path}/agreement", fields=[_note(picture) | reason])
    return form | {"digest": proposal.digest}


def _answer(picture: Picture, path: str) -> Form:
    after = mark("The first response is kept with its time; the exception stays open.")
    return _form(picture, "answer", f"{path}/answer", title=mark("Respond"), text=after)


def _retry(picture: Picture, path: str) -> Form:
    zone = picture.say(mark("For example 2026-03-12 14:00, in the time zone %(zone)s."))
    moment = {"id": "at", "label": picture.say(mark("Moment")), "type": "text", "required": True}
    moment["help"] = zone % {"zone": picture.state.partner.zone}
    after = mark("The step is tried once, at that moment. Until then it waits.")
    fields = [moment, _note(picture)]
    return _form(picture, "retry", f"{path}/retry", title=mark("Try again later"), text=after, fields=fields)


def _edited(work: Work, picture: Picture, opened: OpenedException, path: str) -> list[Form]:
    editable = find_editable(work, picture.definition, picture.state, picture.item(opened.item))
    if editable is None:
        return []
    after = mark("The step is tried at once with these values. They count for this one try; the plan keeps its own.")
    both = mark("It changes something in another system: another person has to agree.")
    two = may_have_had_effect(opened) or editable.changes_something
    fields = [*(_place(place) for place in editable.places.values()), _note(picture)]
    form = _form(picture, "edited", f"{path}/edited", title=mark("Try again with other values"), fields=fields)
    form["text"] = " ".join(picture.say(each) for each in (after, both)[: 2 if two else 1])
    form["given"] = {f"input.{name}": value for name, value in editable.now.items()}
    form["labels"] = {field["id"]: field["label"] for field in fields}
    return [form | {"warning": _warning(picture, opened)}]


def _warning(picture: Picture, opened: OpenedException) -> str:
    """What to look at first, where the call before may have had its effect; "" where it had none."""
    if not may_have_had_effect(opened):
        return ""
    look = mark(
        "The call before may have had its effect. This one goes out under a new key, so the other system cannot tell "
        "that it is the same: look there first, or it may happen twice."
    )
    return picture.say(look)


def _place(place: Place) -> Form:
    options = [{"id": each, "label": each} for each in place.options]
    kept = {"id": f"input.{place.name}", "label": place.label, "type": place.type, "required": place.required}
    return kept | {"options": options, "help": ""}


def _route(picture: Picture, path: str) -> Form:
    say = picture.say
    roles = [{"id": role.id, "label": dict(role.label)} for role in picture.definition.roles.values()]
    role = {"id": "role", "label": say(mark("Role")), "type": "select", "required": False, "options": roles}
    role["help"] = say(mark("Not chosen: it stays with the role that has it."))
    person = people_choice(picture) | {"help": say(mark("Nobody by name: whoever holds the role."))}
    after = mark("Whoever owns the exception now is told of it. A person has to work for the side of the role.")
    fields = [role, person, _note(picture)]
    return _form(picture, "route", f"{path}/route", title=mark("Give it to somebody"), text=after, fields=fields)


def _roll_back(picture: Picture, path: str) -> Form:
    after = mark("This stage and every later one begin anew. Another person has to agree.")
    fields, title = [stage_choice(picture), _note(picture)], mark("Roll back to a stage")
    form = _form(picture, "rollback", f"{path}/resolution", title=title, text=after, fields=fields)
    return form | {"button": {"name": "resolution", "value": "roll_back"}}


def _note(picture: Picture) -> Form:
    label = picture.say(mark("Note for the record"))
    return {"id": "note", "label": label, "type": "long_text", "required": True, "help": ""}


def _form(
    picture: Picture, word: str, action: str, *, title: str = "", text: str = "", fields: list[Form] | None = None
) -> Form:
    """`word` is its name on the page; without fields it has a note."""
    say = picture.say
    form: Form = {"id": word, "title": say(title) if title else "", "text": say(text) if text else "", "action": action}
    return form | {
        "fields": fields or [_note(picture)],
        "button": {},
        "warning": "",
        "labels": {},
        "given": {},
        "errors": [],
    }
