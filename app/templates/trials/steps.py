"""The steps of a test: each verb of the language of tests, as the event it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.flow import events
from app.flow.definition import Item
from app.flow.events import Event
from app.flow.kinds.handing import RENEWABLE
from app.flow.simulate import signature_of
from app.flow.state import OpenedException
from app.kernel.errors import Missing
from app.templates.rules import likely_fix
from app.templates.trials.playing import REASON, SIGNER, SOMEBODY, Play, proof

Step = Mapping[str, Any]


class NoSuchItem(Missing):
    """The template has no item of that name."""


class NothingOpen(Missing):
    """No exception of that type is open."""


def verb_of(step: Step) -> str:
    """What kind of step it is."""
    return next(verb for verb in (*_EVENTS, "wait", "until", "finish", "check") if verb in step)


def event_of(play: Play, step: Step) -> Event:
    """The event that a step stands for. Raises NoSuchItem, NothingOpen."""
    return _EVENTS[verb_of(step)](play, step)


def item_of(play: Play, key: str) -> Item:
    """An item by its name. Raises NoSuchItem."""
    items = play.plan.items
    if key not in items:
        raise NoSuchItem(f"There is no “{key}” in this onboarding. {likely_fix(key, items)}".strip())
    return items[key]


def _reason(step: Step) -> str:
    return str(step.get("reason", REASON))


def _open_exception(play: Play, kind: str, item: str | None) -> OpenedException:
    found = play.state.open_exceptions(item)
    for each in found:
        if each.type == kind:
            return each
    told = ", ".join(sorted({each.type for each in found})) or "none"
    raise NothingOpen(f"No exception “{kind}” is open{f' on “{item}”' if item else ''}; open: {told}.")


def _complete(play: Play, step: Step) -> Event:
    item = item_of(play, step["complete"])
    answers = play.answers(item, step.get("answers", {}))
    evidence = proof(step.get("evidence")) if item.evidence or "evidence" in step else None
    if item.signing is not None and answers.get("signed") is not False:
        return signature_of(item, item.signing, play.somebody(item, step))
    return events.TaskCompleted(by=play.somebody(item, step), task=item.key, answers=answers, evidence=evidence)


def _sign(play: Play, step: Step) -> Event:
    item = item_of(play, step["sign"])
    name = step.get("name", SIGNER)
    by = msgspec.structs.replace(play.somebody(item, step), actor=f"{SOMEBODY} {name}")
    if item.signing is None:
        return events.TaskSigned(by=by, task=item.key, name=name, locale="", digest="")
    return signature_of(item, item.signing, by, name)


def _hand_over(play: Play, step: Step) -> Event:
    item = item_of(play, step["hand_over"])
    asked = [each.id for each in item.handover.fields if each.required] if item.handover else []
    fields = tuple(step.get("fields", asked))
    by = play.somebody(item, step)
    if play.state.items[item.key].state in RENEWABLE or item.handover is None:
        return events.CredentialsGiven(by=by, task=item.key, fields=fields)
    return events.TaskCompleted(by=by, task=item.key, answers=dict.fromkeys(fields, True))


def _reopen(play: Play, step: Step) -> Event:
    item = item_of(play, step["reopen"])
    return events.TaskReopened(by=play.somebody(item, step), task=item.key, reason=_reason(step))


def _decide(play: Play, step: Step) -> Event:
    item = item_of(play, step["decide"])
    by = play.somebody(item, step)
    return events.GateDecided(by=by, gate=item.key, decision=step["decision"], reason=_reason(step))


def _prove(play: Play, step: Step) -> Event:
    item = item_of(play, step["prove"])
    return events.MilestoneProven(
        by=play.somebody(item, step), milestone=item.key, evidence=proof(step.get("evidence"))
    )


def _give(play: Play, step: Step) -> Event:
    return events.PacketChanged(by=play.somebody(None, step), facts=dict(step["give"]), source="sales")


def _succeed(play: Play, step: Step) -> Event:
    item = item_of(play, step["succeed"])
    result = play.result(item, step.get("result", {}))
    return events.ActionSucceeded(task=item.key, request=play.state.items[item.key].request, result=result)


def _fail(play: Play, step: Step) -> Event:
    item = item_of(play, step["fail"])
    request = play.state.items[item.key].request
    return events.ActionFailed(task=item.key, request=request, error=step.get("error", REASON))


def _lose(play: Play, step: Step) -> Event:
    item = item_of(play, step["lose"])
    request = play.state.items[item.key].request
    return events.ActionUnknown(task=item.key, request=request, error=step.get("error", REASON))


def _raise(play: Play, step: Step) -> Event:
    item = item_of(play, step["item"])
    route = play.definition.exceptions[step["raise"]]
    return events.ExceptionRaised(
        by=play.somebody(item, step),
        item=item.key,
        type=step["raise"],
        reason_code=step.get("reason_code", route.reason_codes[0]),
        note=step.get("note", REASON),
        blocks=step.get("blocks", False),
    )


def _resolve(play: Play, step: Step) -> Event:
    found = _open_exception(play, step["resolve"], step.get("item"))
    return events.ExceptionResolved(
        by=play.somebody(None, step),
        exception=found.id,
        resolution=step["resolution"],
        reason=_reason(step),
        evidence=proof(step.get("evidence")),
        result=dict(step.get("result", {})),
        stage=step.get("stage"),
    )


def _answer(play: Play, step: Step) -> Event:
    found = _open_exception(play, step["answer"], step.get("item"))
    return events.ExceptionAnswered(by=play.somebody(None, step), exception=found.id, note=step.get("note", REASON))


def _skip(play: Play, step: Step) -> Event:
    item = item_of(play, step["skip"])
    return events.ItemSkipped(by=play.somebody(item, step), item=item.key, reason=_reason(step))


def _decline(play: Play, step: Step) -> Event:
    item = item_of(play, step["decline"])
    return events.ItemDeclined(by=play.somebody(item, step), item=item.key, reason=_reason(step))


def _add(play: Play, step: Step) -> Event:
    item = item_of(play, step["add"])
    return events.PartAdded(by=play.somebody(None, step), item=item.key, name=step["name"])


def _remove(play: Play, step: Step) -> Event:
    item = item_of(play, step["remove"])
    return events.PartRemoved(by=play.somebody(None, step), item=item.key, reason=_reason(step))


def _roll_back(play: Play, step: Step) -> Event:
    return events.RolledBack(
        by=play.somebody(None, step), stage=item_of(play, step["roll_back"]).key, reason=_reason(step)
    )


def _hold(play: Play, step: Step) -> Event:
    return events.Held(by=play.somebody(None, step), reason_code=step["hold"], reason=_reason(step))


def _resume(play: Play, step: Step) -> Event:
    return events.Resumed(by=play.somebody(None, step), reason=_reason(step))


def _cancel(play: Play, step: Step) -> Event:
    return events.Cancelled(by=play.somebody(None, step), reason=step["cancel"])


_EVENTS: dict[str, Callable[[Play, Step], Event]] = {
    "complete": _complete,
    "hand_over": _hand_over,
    "sign": _sign,
    "reopen": _reopen,
    "decide": _decide,
    "prove": _prove,
    "give": _give,
    "succeed": _succeed,
    "fail": _fail,
    "lose": _lose,
    "raise": _raise,
    "resolve": _resolve,
    "answer": _answer,
    "skip": _skip,
    "decline": _decline,
    "add": _add,
    "remove": _remove,
    "roll_back": _roll_back,
    "hold": _hold,
    "resume": _resume,
    "cancel": _cancel,
}
