"""What the doors of templates answer: lines, chains, problems and plans in the shapes of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from litestar import Request

from app.kernel.work import Work
from app.templates.api.shapes import (
    ChangeOut,
    CheckedOut,
    ConflictOut,
    Decision,
    EntryOut,
    LineHead,
    LineOut,
    LineUpgradeOut,
    PartOut,
    ProblemOut,
    StepOut,
)
from app.templates.authoring.checking import Checked
from app.templates.language import Template
from app.templates.lines.chains import Chain
from app.templates.lines.queries import LineEntry
from app.templates.merging import Own, ResolutionRefused, difference
from app.templates.merging.resolving import Resolution
from app.templates.overlay import Overlay
from app.templates.queries import CatalogueEntry
from app.templates.rules import TemplateRefused
from app.templates.upgrades.operations import Line
from app.templates.upgrades.plan import Step, UpgradePlan
from app.templates.upgrades.typed import UNREADABLE, value_of
from app.web.begin import home_of, run_once
from app.web.wire.answering import write
from app.web.wire.reading import read_key

PageRequest = Request[Any, Any, Any]


def once(request: PageRequest, sent: object, operation: Callable[[Work], dict[str, object]]) -> tuple[Any, bool]:
    """Do it in the home once for its `Idempotency-Key`; also whether this is the answer of an earlier time."""
    return run_once(request, home_of(request).id, key=read_key(request), body=sent, operation=operation)


def head_out(entry: CatalogueEntry) -> LineHead:
    """A line in short."""
    newest, overlay, waiting = entry.newest, entry.overlay, entry.waiting
    return LineHead(
        template=entry.template_id,
        title=newest.title,
        version=newest.version,
        digest=newest.digest,
        overlay=overlay.digest if overlay else None,
        overlay_version=overlay.version if overlay else None,
        versions=entry.versions,
        waiting=waiting.version if waiting else None,
        published_at=newest.published_at,
    )


def line_out(
    line: Line, targets: Sequence[Chain], publishers: Mapping[str, str], history: Sequence[LineEntry]
) -> LineOut:
    """A line with everything that is known of it."""
    return LineOut(
        template=line.chain.template.id,
        title=dict(line.chain.effective().document["title"]),
        own=line.own,
        chain=_chain(line.chain, publishers),
        targets=[_chain(each, publishers) for each in targets],
        history=[
            EntryOut(
                each.seq,
                each.offered.template_digest,
                each.offered.overlay_digest,
                each.why,
                each.changed_by,
                each.changed_at,
            )
            for each in history
        ],
    )


def checked_out(checked: Checked) -> CheckedOut:
    """What was found in a text."""
    problems = [ProblemOut(each.line, each.column, each.message, each.fix) for each in checked.problems]
    if checked.version is None:
        return CheckedOut("", "", "", None, None, problems)
    made = checked.effective.digest if checked.effective else None
    return CheckedOut(*named(checked.version), checked.version.digest, made, problems)


def named(version: Template | Overlay) -> tuple[str, str, str]:
    """Its kind, its own name and its number."""
    kind, name = ("overlay", "overlay") if isinstance(version, Overlay) else ("template", "id")
    return kind, str(version.document[name]), str(version.document["version"])


def decided(decisions: Mapping[str, Mapping[str, Decision]]) -> dict[str, dict[str, Resolution]]:
    """What a person said of each conflict, as the merge takes it. Raises ResolutionRefused."""
    return {overlay: {path: _word(each) for path, each in said.items()} for overlay, said in decisions.items()}


def _word(said: Decision) -> Resolution:
    """A value of one's own is read with the care that a whole template is."""
    if said.side != "own":
        return said.side
    try:
        return Own(value_of(write(said.value).decode()))
    except TemplateRefused:
        raise ResolutionRefused(UNREADABLE) from None


def plan_out(
    plan: UpgradePlan, said: Mapping[str, Mapping[str, Resolution]], *, published: str | None = None
) -> LineUpgradeOut:
    """What an upgrade would make, or made."""
    changes = difference(plan.now.document, plan.result.document) if plan.result else []
    return LineUpgradeOut(
        ready=plan.chain is not None,
        seen=plan.address,
        steps=[_step(each, said.get(each.before.id, {})) for each in plan.steps],
        changes=[ChangeOut(each.path, str(each.kind), each.before, each.after) for each in changes],
        published=published,
    )


def _step(step: Step, said: Mapping[str, Resolution]) -> StepOut:
    found = step.upgrade
    return StepOut(
        overlay=step.before.id,
        version=str(step.before.document["version"]),
        becomes=str(step.made.document["version"]) if step.made else None,
        conflicts=[
            ConflictOut(each.path, str(each.kind), each.sentence, each.old, each.theirs, each.ours, each.path in said)
            for each in found.conflicts
        ],
        carried=list(found.carried),
        redundant=list(found.redundant),
    )


def _chain(chain: Chain, publishers: Mapping[str, str]) -> list[PartOut]:
    """The uppermost first."""
    return [PartOut(*named(each), each.digest, publishers.get(each.digest, "")) for each in reversed(chain.versions)]
