"""The forms of a package as a whole: what is offered, which parts are in it, which service it comes with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.flow.definition import Definition
from app.templates.overlay import Effective
from app.templates.overlays.origins import lock_on
from app.templates.packages.document import said
from app.templates.packages.editor.asking import Asked, Spec
from app.templates.packages.leaving_out import parts_of
from app.web.translations import mark

Plain = dict[str, Any]  # the plain document of a draft
_MOST = 1_000_000


def offer(asked: Asked, draft: Plain) -> tuple[list[Spec], Plain]:
    """What it is called, what it says, what is not in it, what it costs, and what its customers may have."""
    title, titled = asked.text("title", mark("Title"), draft.get("title"), required=True)
    texts = {name: asked.text(name, label, draft.get(name), type="long_text") for name, label in _TEXTS.items()}
    called = asked.lines("called", draft.get("called", ()))
    prices, priced = asked.prices(draft.get("prices", ()))
    quotas = draft.get("quotas") or {}
    limits = {name: asked.number(name, quotas.get(name), _MOST) for name in _QUOTAS}
    specs = [
        *title,
        *(spec for fields, _ in texts.values() for spec in fields),
        asked.spec("called", mark("What your CRM calls it, one name a line"), "list", help=_CALLED),
        *prices,
        *(asked.spec(name, label, "integer", help=_OBEYED) for name, label in _QUOTAS.items()),
    ]
    changed: Plain = {"title": titled or draft["title"], "called": called, "prices": priced}
    changed |= {name: text or None for name, (_, text) in texts.items()}
    kept = {name: value for name, value in limits.items() if value is not None}
    return specs, draft | changed | {"quotas": kept or None}


_TEXTS = {"description": mark("What the customer gets"), "excluded": mark("What it is not")}
_QUOTAS = {"members": mark("People in the customer's workspace, at most"), "onboardings": mark("Onboardings at once")}
_CALLED = mark("A deal whose product or package is called so is sold with it; so is one that says its title.")
_OBEYED = mark("The workspace is made with this limit and keeps it. Leave it empty for none.")


def parts(asked: Asked, draft: Plain, upon: Effective) -> tuple[list[dict[str, Any]], Plain]:
    """Every stage, milestone and task with whether it is in; what governance has locked cannot be left out."""
    found = parts_of(upon.document)
    left = set(draft.get("leaves_out", ()))
    if asked.form:
        kept = set(asked.form.every("kept"))
        offered = {key for key, part in found.items() if not key.startswith("gate.") and not _lock(upon, part.words)}
        left = {key for key in offered if key not in kept}
        left = {key for key in left if not set(found[key].above) & left}
    rows = []
    for key, part in found.items():
        if key.startswith("gate."):
            continue
        title = part.item["title"]
        above = set(part.above) & left
        lock = _lock(upon, part.words)
        row = {"key": key, "title": dict(title), "level": len(part.above), "kept": key not in left and not above}
        rows.append(row | {"locked": lock.reason if lock else ""})
    return rows, draft | {"leaves_out": [key for key in found if key in left]}


def _lock(upon: Effective, words: tuple[str, ...]) -> Any:
    return lock_on(upon.locks, words)


def service(asked: Asked, draft: Plain, upon: Effective, plan: Definition) -> tuple[list[dict[str, Any]], Plain]:
    """The tier's name, and each time of the template's timers and troubles: what differs from the template is kept."""
    tier = draft.get("tier") or {"title": {}}
    names, title = asked.text("tier", mark("Name of the service level"), tier["title"])
    groups: list[dict[str, Any]] = [{"title": "", "specs": names}]
    timers: dict[str, list[Mapping[str, int]]] = {}
    language = asked.locales[0]
    for timer in upon.document.get("timers", ()):
        own = [rung["after"] for rung in timer["ladder"]]
        told, name = tier.get("timers", {}).get(timer["id"], own), f"timer.{timer['id']}"
        times = [asked.length(f"{name}.{at}", each) or own[at] for at, each in enumerate(told[: len(own)])]
        labels = [said(rung["message"], language) for rung in timer["ladder"]]
        specs = [spec for at, text in enumerate(labels) for spec in asked.length_specs(f"{name}.{at}", text)]
        item = plan.items.get(timer["item"])
        groups.append({"title": said(item.title, language) if item else timer["id"], "specs": specs})
        if times != own:
            timers[timer["id"]] = times
    troubles = {each["id"]: each for each in upon.document.get("exceptions", ())}
    chosen = {
        name: asked.length(f"trouble.{name}", tier.get("exceptions", {}).get(name, each["respond_within"]))
        for name, each in troubles.items()
    }
    named = {name: said(each["label"], language) for name, each in troubles.items()}
    specs = [spec for name, label in named.items() for spec in asked.length_specs(f"trouble.{name}", label)]
    groups.append({"title": asked.say(mark("First response to troubles")), "specs": specs})
    exceptions = {name: time for name, time in chosen.items() if time and time != troubles[name]["respond_within"]}
    if (timers or exceptions) and not title:
        asked.errors[names[0]["id"]] = asked.say(mark("Give this service level a name: customers read it."))
        title = tier["title"]
    kept = {"title": title, "timers": timers, "exceptions": exceptions} if title else None
    return groups, draft | {"tier": kept}
