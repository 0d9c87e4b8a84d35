"""A template of the library and its next version, with three overlays upon each: distributor, reseller, the partner.

The overlays go from one to the next by the three-way merge; its conflicts are decided as people do.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.flow.events import MigrationMap
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.merging import Own, upgrade_overlay
from app.templates.merging.resolving import Resolution
from app.templates.overlay import Effective, Overlay, apply_overlays

NAME = "saas/enterprise-launch"
MAP = MigrationMap(items={"task.launch_announce": "task.launch_news"}, dropped=("task.launch_support_notes",))
Document = dict[str, Any]


@dataclass(frozen=True)
class Edition:
    """One version as a partner's customers get it: what stands below its own overlay, that overlay, and the whole."""

    ground: tuple[Template | Overlay, ...]
    own: Overlay
    effective: Effective
    decided: Mapping[str, Mapping[str, Resolution]] = field(default_factory=dict)  # by overlay, by path

    @property
    def below(self) -> Template:
        """The template at the bottom."""
        return self.effective.template


def said(text: str) -> dict[str, str]:
    """A text in both languages that a template needs."""
    return {"en": text, "de": text, "ar": text}


def task(name: str, owner: str, **more: Any) -> Document:
    """A step that somebody takes."""
    return {"id": name, "kind": "meeting", "title": said(name.replace("_", " ").capitalize()), "owner": owner} | more


def find(node: Any, name: str) -> Document:
    """The element of that id, wherever it stands in a document."""
    found = [each for each in _elements(node) if each.get("id") == name and {"tasks", "kind"} & each.keys()]
    assert found, name
    return found[0]


def _elements(node: Any) -> list[Document]:
    inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    own = [node] if isinstance(node, dict) else []
    return own + [each for value in inner for each in _elements(value)]


def template_of(document: Mapping[str, Any]) -> Template:
    """A document as a published template."""
    plain = dict(document)
    return Template(plain, address(plain), Source("published", plain, {}, {}))


def first_version() -> Template:
    """The library's own."""
    return template_of(open_shelf(NAME).template.document)


def next_version() -> Template:
    """Steps that are new, renamed, gone, later; a text that an overlay says otherwise."""
    document: Document = copy.deepcopy(dict(first_version().document))
    document["version"] = "9.0.0"
    find(document, "launch_checklist")["title"] = said("Walk through the launch")
    ready = find(document, "launch_ready")
    ready["tasks"] = [each for each in ready["tasks"] if each["id"] != "launch_support_notes"]
    ready["tasks"].append(task("launch_rehearsal", "implementation_lead", due={"business_days": 4}))
    for each in _elements(document):
        if each.get("id") == "launch_announce":
            each["id"] = "launch_news"
        if "depends_on" in each:
            each["depends_on"] = [MAP.items.get(key, key) for key in each["depends_on"]]
    find(document, "first_workflow")["tasks"].append(task("first_report", "csm", depends_on=["task.tell_value"]))
    find(document, "training_sessions")["due"] = {"business_days": 15}
    find(document, "training_plan")["due"] = {"business_days": 6}
    return template_of(document)


def overlay_of(name: str, below: Effective, patch: Document) -> Overlay:
    """An overlay that was written for what stands below it."""
    base = {"id": below.template.id, "version": below.template.version, "digest": below.digest}
    document: Document = {"slipway": "1", "overlay": name, "version": "1.0.0", "partner": name.partition("-")[0]}
    document |= {"base": base, "patch": patch}
    return Overlay(document, address(document), Source(f"{name}.yaml", document, {}, {}))


def in_task(stage: str, milestone: str, *tasks: Document) -> Document:
    """A patch of steps of one milestone."""
    return {"stages": [{"id": stage, "milestones": [{"id": milestone, "tasks": list(tasks)}]}]}


def patches() -> Sequence[tuple[str, Document]]:
    """What the three say, from the distributor down."""
    return (
        (
            "distributor-launch",
            in_task("launch", "launch_ready", {"id": "launch_checklist", "title": said("Our launch")}),
        ),
        (
            "reseller-launch",
            in_task("launch", "launch_ready", {"id": "launch_support_notes", "title": said("Notes for our desk")}),
        ),
        (
            "own-launch",
            in_task(
                "launch",
                "training_able",
                task("own_greeting", "csm") | {"$add": True, "$first": True},
                {"id": "training_plan", "due": {"business_days": 5}},
                {"id": "training_sessions", "due": {"business_days": 12}},
            ),
        ),
    )


@cache
def old_and_new() -> tuple[Edition, Edition]:
    """Both versions with the chain upon each. The second one's overlays came by the merge."""
    old, new = apply_overlays(first_version()), apply_overlays(next_version())
    olds, news, decided = [old], [new], dict[str, Mapping[str, Resolution]]()
    for name, patch in patches():
        overlay = overlay_of(name, olds[-1], patch)
        wanted = upgrade_overlay(olds[-1], news[-1], overlay)
        answers = {each.path: said_to(each.path) for each in wanted.open}
        merged = upgrade_overlay(olds[-1], news[-1], overlay, answers)
        assert merged.overlay is not None
        decided[name] = answers
        olds.append(apply_overlays(old.template, [*olds[-1].overlays, overlay]))
        document = {**merged.overlay.document, "version": "2.0.0"}
        upgraded = Overlay(document, address(document), Source(f"{name}.yaml", document, {}, {}))
        news.append(apply_overlays(new.template, [*news[-1].overlays, upgraded]))
    return _edition(olds, {}), _edition(news, decided)


def said_to(path: str) -> Resolution:
    """What somebody decides where both sides have changed one place: take one of them, or neither."""
    if "support_notes" in path:
        return "theirs"
    return Own(4) if "training_plan" in path else "ours"


def _edition(chain: list[Effective], decided: Mapping[str, Mapping[str, Resolution]]) -> Edition:
    whole = chain[-1]
    return Edition((whole.template, *whole.overlays[:-1]), whole.overlays[-1], whole, decided)
