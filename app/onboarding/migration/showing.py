"""What staff see of a migration: the versions on offer, the plan in words, what they have to say first, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.flow.definition import Definition
from app.flow.events import MigrationMap
from app.flow.fields import Value
from app.flow.migration.mapping import Problem
from app.flow.migration.migrate import Preview
from app.flow.migration.parts import find_item, of_pattern
from app.flow.migration.plan import Fate, Line
from app.flow.parts.unfolding import unfold
from app.kernel.work import Work
from app.onboarding.migration.operations import plan_waiting
from app.onboarding.migration.queries import on_offer
from app.onboarding.migration.versions import Version
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import definition_of
from app.web.translations import mark

ITEM, VALUE, LEFT_OUT = "item.", "value.", "-"  # how the form names what it asks; what stands for leaving out

FATES: Final[tuple[tuple[Fate, str], ...]] = (
    ("set_back", mark("Waits for its turn once more")),
    ("added", mark("Is added, still to come")),
    ("not_needed", mark("Is added too late and not needed")),
    ("restored", mark("Comes back, finished as it was")),
    ("dropped", mark("Is left out")),
)
TROUBLE: Final[Mapping[str, str]] = {
    "unplaced": mark("Somebody has worked on this, and the new version does not have it."),
    "value": mark("What was written here does not fit the new version."),
    "owner": mark("It belongs to the other side in the new version; its owner would be released."),
    "in_flight": mark("A call to another system is under way, or nobody knows how it ended. Settle that first."),
    "exception": mark("An exception is open here. Resolve it first, or say where the step goes."),
    "overtaken": mark("This is not finished, and what it would stand in is. Leave it out first."),
    "first_value": mark("This would prove first value, and is over already."),
    "repeated": mark("It happens several times in one of the versions and once in the other, and has begun."),
    "map": mark("What was chosen here cannot be done."),
}
_KEPT: Final = mark("only kept in this workspace")
_ASKED = frozenset({"unplaced", "exception", "value", "owner"})


def read_wishes(given: Mapping[str, str], new: Definition | None) -> MigrationMap:
    """The map that a form says. Numbers and yes or no are what the new version's field asks for."""
    places = {key.removeprefix(ITEM): value for key, value in given.items() if key.startswith(ITEM) and value}
    values = {key.removeprefix(VALUE): value for key, value in given.items() if key.startswith(VALUE)}
    return MigrationMap(
        items={key: target for key, target in places.items() if target != LEFT_OUT},
        dropped=tuple(sorted(key for key, target in places.items() if target == LEFT_OUT)),
        values={place: _typed(place, text, new) for place, text in values.items()},
    )


def page_of(work: Work, picture: Picture, published: list[Version]) -> dict[str, Any]:
    """The versions, what waits, and what was done before."""
    offers = on_offer(work, picture, published) if picture.state.phase == "running" else []
    return {
        "runs": picture.template,
        "held": picture.state.phase == "held",
        "versions": [{"id": each.to, "label": _offer(picture, each)} for each in offers],
        "waiting": _waiting(work, picture),
        "made": [_made(work, picture, number) for number in reversed(range(len(picture.state.migrations)))],
        "action": f"{picture.path}/migration",
    }


def tried_of(picture: Picture, new: Definition, preview: Preview) -> dict[str, Any]:
    """The dry run in words, with a question for each thing that somebody has to say first."""
    new = unfold(new, preview.plan.parts)
    return _shown(picture, new, preview) | {
        "version": new.version,
        "plan": preview.plan.address,
        "questions": [_question(picture, new, preview, each) for each in preview.plan.problems if each.kind in _ASKED],
        "problems": [_problem(picture, new, each) for each in preview.plan.problems if each.kind not in _ASKED],
    }


def _shown(picture: Picture, new: Definition, preview: Preview) -> dict[str, Any]:
    plan, decision = preview.plan, preview.decision
    kept, say = plan.of("kept"), picture.say
    groups = [
        {"title": say(title), "items": [_line(picture, new, line) for line in plan.of(fate)]}
        for fate, title in FATES
        if plan.of(fate)
    ]
    moved = [line for line in kept if line.was != line.becomes]
    if moved:
        groups.insert(0, {"title": say(mark("Goes on under another name")), "items": _lines(picture, new, moved)})
    return {
        "kept": len(kept),
        "finished": sum(line.state in {"done", "skipped"} for line in kept),
        "groups": groups,
        "answers": len(plan.values),
        "moved": len(decision.moves) if decision else 0,
        "ends": decision is not None and decision.state.status != "running",
    }


def _waiting(work: Work, picture: Picture) -> dict[str, Any] | None:
    waiting = picture.state.migration
    if waiting is None or picture.state.status != "running":
        return None
    asked, now = waiting.proposed, plan_waiting(work, picture.onboarding)
    new = definition_of(work, asked.definition)
    shown = _shown(picture, unfold(new, now.plan.parts), now) if now is not None else None
    still = now is not None and not now.plan.problems and now.plan.address == asked.plan
    own = asked.by.actor == work.actor.label
    return {
        "version": asked.version,
        "by": picture.name_of(asked.by.actor) or picture.say(mark("the operator of this installation")),
        "at": waiting.at,
        "reason": asked.reason,
        "plan": asked.plan,
        "still": still,
        "own": own,
        "shown": shown,
    }


def _made(work: Work, picture: Picture, number: int) -> dict[str, Any]:
    made = picture.state.migrations[number]
    before, after = definition_of(work, made.before), definition_of(work, made.definition)
    left = [picture.read(item.title) for key in made.departed if (item := find_item(before, key))]
    return {"was": before.version, "becomes": after.version, "at": made.at, "left": left}


def _lines(picture: Picture, new: Definition, lines: list[Line]) -> list[dict[str, Any]]:
    return [_line(picture, new, line) for line in lines]


def _line(picture: Picture, new: Definition, line: Line) -> dict[str, Any]:
    was = picture.definition.items.get(line.was or "")
    becomes = new.items.get(line.becomes or "")
    titles = [picture.read(each.title) for each in (was, becomes) if each is not None]
    renamed = len(titles) > 1 and titles[0] != titles[1]
    return {"title": " → ".join(titles) if renamed else titles[-1], "state": line.state if line.worked_on else ""}


def _offer(picture: Picture, each: Version) -> str:
    said = f"{each.title} {each.version}"
    return said if each.published_at else f"{said} ({picture.say(_KEPT)})"


def _title(picture: Picture, new: Definition, problem: Problem) -> str:
    item = picture.definition.items.get(problem.item or "") or new.items.get(problem.item or "")
    return picture.read(item.title) if item else problem.place.rpartition("/")[2]


def _problem(picture: Picture, new: Definition, problem: Problem) -> dict[str, str]:
    return {"title": _title(picture, new, problem), "text": picture.say(TROUBLE[problem.kind])}


def _question(picture: Picture, new: Definition, preview: Preview, problem: Problem) -> dict[str, Any]:
    """A field that settles the problem when the plan is looked at again."""
    title, help_ = _title(picture, new, problem), picture.say(TROUBLE[problem.kind])
    if problem.kind in {"unplaced", "exception"}:
        return _place(picture, new, preview, problem) | {"label": title, "help": help_}
    place = problem.place.removeprefix("/values/")
    field = new.fields.get(of_pattern(place))
    label = f"{title}: {picture.read(field.label)}" if field else f"{title}: {place.rpartition('.')[2]}"
    leave = picture.say(mark("Leave it empty to go on without it; what was written is kept with the migration."))
    spec: dict[str, Any] = {"id": f"{VALUE}{place}", "label": label, "type": "text", "required": False}
    if problem.kind == "value" and field is not None and field.type in {"select", "date", "integer"}:
        spec |= {"type": field.type, "minimum": field.minimum, "maximum": field.maximum}
        spec |= {"options": [{"id": one.id, "label": dict(one.label)} for one in field.options]}
    return spec | {"help": f"{help_} {leave}"}


def _place(picture: Picture, new: Definition, preview: Preview, problem: Problem) -> dict[str, Any]:
    key = str(problem.item)
    free = [line.becomes for line in preview.plan.lines if line.becomes and line.was is None]
    options = [
        {"id": target, "label": dict(new.items[target].title)}
        for target in free
        if new.items[target].kind == picture.definition.items[key].kind
    ]
    if problem.kind == "unplaced":
        options.append({"id": LEFT_OUT, "label": picture.say(mark("Leave it out; what was done is kept"))})
    return {"id": f"{ITEM}{key}", "type": "select", "required": True, "options": options}


def _typed(place: str, text: str, new: Definition | None) -> Value:
    field = new.fields.get(of_pattern(place)) if new else None
    if not text.strip():
        return None
    if field is not None and field.type == "boolean":
        return text == "true"
    if field is not None and field.type == "integer":
        return _number(text)
    return text.strip()


def _number(text: str) -> Value:
    try:
        return int(text)
    except ValueError:
        return text.strip()  # refused at its place
