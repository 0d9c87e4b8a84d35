"""Lines and upgrades as people read them: titles instead of paths, values in words, each question with its sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from app.flow.fields import Text
from app.templates.lines.chains import Chain
from app.templates.lines.ends import End
from app.templates.lines.queries import LineEntry, Offered
from app.templates.merging import Conflict, Own, difference
from app.templates.merging.resolving import Resolution
from app.templates.overlay import Effective, Overlay
from app.templates.overlays.versions import precedence
from app.templates.preview.board import Read
from app.templates.preview.changes import shown, title_at
from app.templates.studio.comparing import property_at
from app.templates.upgrades.operations import Line
from app.templates.upgrades.plan import Resolutions, UpgradePlan
from app.templates.upgrades.typed import SIDE, VALUE, name_of
from app.web.translations import mark

WHY = {"published": mark("published"), "adopted": mark("taken over"), "upgraded": mark("upgraded")}


def reader(language: str) -> Read:
    """Texts in a language, else in the first that they are in."""
    return partial(_read, language)


def line_out(line: Line, publishers: Mapping[str, str], read: Read) -> dict[str, Any]:
    """What is offered, the uppermost first, and whose each version is."""
    chain = line.chain
    rows = [
        {
            "kind": "overlay" if isinstance(version, Overlay) else "template",
            "id": str(version.document["overlay" if isinstance(version, Overlay) else "id"]),
            "version": str(version.document["version"]),
            "publisher": publishers.get(version.digest, ""),
        }
        for version in reversed(chain.versions)
    ]
    return {
        "id": chain.template.id,
        "title": read(chain.effective().document["title"]),
        "address": chain.template.digest.removeprefix("sha256:"),
        "rows": rows,
        "own": line.own,
    }


def target_out(chain: Chain, publishers: Mapping[str, str]) -> dict[str, Any]:
    """Something that the own overlays could stand on."""
    top = chain.versions[-1]
    overlays = ", ".join(f"{each.id} {each.document['version']}" for each in chain.overlays)
    return {
        "to": top.digest.removeprefix("sha256:"),
        "version": chain.template.version,
        "overlays": overlays,
        "publisher": publishers.get(top.digest, ""),
    }


def ended_out(end: End | None, template_id: str, targets: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The end of what is offered, and the way on: to a later version that is here, or to the listing that has one."""
    if end is None:
        return None
    later = [each for each in targets if precedence(each["version"]) > precedence(end.number)]
    if later:
        best = max(later, key=lambda each: precedence(each["version"]))
        return {"end": end, "path": f"/templates/lines/{template_id}/upgrade?to={best['to']}", "to": best["version"]}
    path = f"{end.listing}?version={end.newer}" if end.newer else end.listing
    return {"end": end, "path": path, "to": end.newer}


def history_out(entries: Sequence[LineEntry], names: Mapping[str, str], line: Line) -> list[dict[str, Any]]:
    """What was offered from when on; what is offered now has no way back. The history follows within seconds."""
    now = Offered(line.chain.template.digest, line.chain.overlay_digest)
    return [
        {
            "seq": each.seq,
            "what": " + ".join(names.get(digest, "") for digest in _digests(each.offered)),
            "why": WHY.get(each.why, each.why),
            "by": each.changed_by,
            "at": each.changed_at,
            "back": each.offered != now,
            "now": each is entries[0] and each.offered == now,
        }
        for each in entries
    ]


def plan_out(plan: UpgradePlan, decided: Resolutions, typed: Mapping[str, Any], read: Read) -> dict[str, Any]:
    """Every overlay with its questions, what goes on by itself, and what new onboardings would get."""
    steps = [
        {
            "overlay": step.before.id,
            "version": str(step.before.document["version"]),
            "becomes": str(step.made.document["version"]) if step.made else "",
            "conflicts": [
                _conflict(plan, step.before.id, each, decided.get(step.before.id, {}), typed, read)
                for each in step.upgrade.conflicts
            ],
            "open": len(step.upgrade.open),
            "carried": [_place(plan, path, read) for path in step.upgrade.carried],
            "redundant": [_place(plan, path, read) for path in step.upgrade.redundant],
        }
        for step in plan.steps
    ]
    return {
        "steps": steps,
        "upstream": _changes(*plan.beneath, read),
        "result": _changes(plan.now, plan.result, read) if plan.result else [],
        "ready": plan.chain is not None,
        "seen": plan.address,
    }


def _conflict(
    plan: UpgradePlan,
    overlay: str,
    conflict: Conflict,
    decided: Mapping[str, Resolution],
    typed: Mapping[str, Any],
    read: Read,
) -> dict[str, Any]:
    taken = decided.get(conflict.path)
    side, value = (name_of(part, overlay, conflict.path) for part in (SIDE, VALUE))
    return {
        **_place(plan, conflict.path, read),
        "kind": str(conflict.kind),
        "sentence": conflict.sentence,
        "before": shown(conflict.old, read),
        "theirs": shown(conflict.theirs, read),
        "ours": shown(conflict.ours, read),
        "side": side,
        "value": value,
        "chosen": str(typed.get(side, "own" if isinstance(taken, Own) else taken or "")),
        "typed": str(typed.get(value, "")),
        "only_theirs": conflict.kind == "locked",
        "writable": conflict.kind not in {"locked", "already gone"},
    }


def _place(plan: UpgradePlan, path: str, read: Read) -> dict[str, Any]:
    documents = [plan.now.document, plan.beneath[1].document, plan.beneath[0].document]
    return {"path": path, "title": title_at(documents, path, read), **property_at(documents, path)}


def _changes(old: Effective, new: Effective, read: Read) -> list[dict[str, Any]]:
    return [
        {
            "path": each.path,
            "kind": each.kind,
            "title": title_at((new.document, old.document), each.path, read),
            **property_at((new.document, old.document), each.path),
            "before": shown(each.before, read),
            "after": shown(each.after, read),
        }
        for each in difference(old.document, new.document)
        if each.path != "version"  # stands above it all
    ]


def _digests(offered: Offered) -> list[str]:
    return [each for each in (offered.template_digest, offered.overlay_digest) if each]


def _read(language: str, text: Text) -> str:
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
