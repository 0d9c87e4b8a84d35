"""Looks at the upgrade of a line and does it: new versions of the own overlays are published, and offered from then."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.templates.authoring.versions import next_minor
from app.templates.lines.chains import Chain, find_chain
from app.templates.lines.operations import hold, offer
from app.templates.lines.queries import home_shelves, line_in_home
from app.templates.models import Definition
from app.templates.operations import bring_out
from app.templates.overlay import Overlay
from app.templates.queries import NO_SUCH, TemplateMissing, list_grounds, list_versions
from app.templates.upgrades.plan import Resolutions, UpgradePlan, plan_upgrade


class UpgradeOpen(Conflict):
    """A conflict waits for a person's word."""


class UpgradeMoved(Conflict):
    """It would not make any more what was looked at."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is offered of a template: its chain, how many of its uppermost overlays are the partner's own."""

    chain: Chain
    own: int

    @property
    def beneath(self) -> str:
        """The address of the uppermost version that the own overlays stand on."""
        return self.chain.versions[len(self.chain.overlays) - self.own].digest


def see_line(work: Work, template_id: str) -> Line:
    """What the partner offers of a template now. Raises NotPermitted, TemplateMissing."""
    require(work, Permission.TEMPLATE_READ)
    offered = line_in_home(work.session, template_id)
    if offered is None:
        raise TemplateMissing(f"Nothing is offered of “{template_id}”.")
    chain = find_chain(home_shelves(work.session), offered.overlay_digest or offered.template_digest)
    own = 0
    for overlay in reversed(chain.overlays):
        if "publisher" in work.session.get_one(Definition, overlay.digest).origins:
            break
        own += 1
    return Line(chain, own)


def list_targets(work: Work, line: Line) -> list[Chain]:
    """What the line's own overlays could stand on instead, the last published first. Raises NotPermitted."""
    require(work, Permission.TEMPLATE_READ)
    shelves, template_id = home_shelves(work.session), line.chain.template.id
    return [find_chain(shelves, top) for top in list_grounds(work.session, template_id) if top != line.beneath]


def try_upgrade(work: Work, template_id: str, to: str, resolutions: Resolutions) -> UpgradePlan:
    """What the upgrade to the chain with that top would make, with what is decided so far. Nothing is written.

    Raises NotPermitted, TemplateMissing, TemplateRefused, UpgradeRefused, ResolutionRefused.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    line = see_line(work, template_id)
    ground = work.session.get(Definition, to)
    if ground is None or ground.template_id != template_id or "part" in ground.origins:
        raise TemplateMissing(NO_SUCH)
    target = find_chain(home_shelves(work.session), to)
    return plan_upgrade(line.chain, line.own, target, resolutions, lambda overlay: _number(work, overlay))


def upgrade(work: Work, template_id: str, to: str, resolutions: Resolutions, *, seen: str) -> str:
    """Publish what was looked at, whose address is `seen`, and offer it. What runs goes on as it is.

    Returns the address of what is offered then. Raises as `try_upgrade`, UpgradeOpen, UpgradeMoved.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    hold(work, template_id)
    plan = try_upgrade(work, template_id, to, resolutions)
    if plan.chain is None:
        raise UpgradeOpen("Decide each conflict first: nothing is published while one is open.")
    if plan.address != seen:
        raise UpgradeMoved("This would make something else than what you looked at. Look at it again, then publish.")
    for step in plan.steps:
        assert step.made is not None  # noqa: S101 - a plan with a chain has made every step
        bring_out(work, step.made)
    offer(work, plan.chain, "upgraded")
    return plan.address


def _number(work: Work, overlay: Overlay) -> str:
    return next_minor(list_versions(work.session, overlay.id))
