"""What an onboarding that is sold like this would contain, and everything that is wrong with the package."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from app.flow.fields import Text
from app.templates.library import find_component
from app.templates.overlays.checked import Checked
from app.templates.packages.additions import with_parts
from app.templates.packages.checking import Trouble, check_package
from app.templates.packages.document import Content, Package, PackageUnfit, package_of, said
from app.templates.packages.editor.desk import Desk
from app.templates.packages.stitching import sell
from app.templates.preview import board_of, facts_of
from app.templates.rules import Problem, TemplateRefused

_CHECKED = Checked()  # what was looked at before


def packed(content: Content, desk: Desk, *, version: str, partner: str) -> tuple[Package | None, list[Trouble]]:
    """The package as it would be published, and all that is wrong with it."""
    try:
        whole = with_parts(content, desk.upon.document["locales"], find_component)
        package = package_of(whole, version=version, partner=partner)
    except TemplateRefused as refused:
        return None, [Trouble(problem, ()) for problem in refused.problems]
    except PackageUnfit as error:
        return None, [Trouble(Problem("package", 1, 1, error.message), ())]
    return package, check_package(package, desk.upon, checked=_CHECKED)


def preview_of(content: Content, desk: Desk, wanted: Collection[str]) -> dict[str, Any]:
    """The plan board with these add-ons, the toggles, and the problems; no board where that choice has one."""
    package, troubles = packed(content, desk, version="0.0.0", partner="preview")
    chosen = [each.id for each in content.add_ons if each.id in wanted]
    plan = None
    if package is not None:
        try:
            plan = sell(package, chosen, desk.upon, _CHECKED).compile()
        except TemplateRefused:
            plan = None  # what is wrong is among the troubles
    read = partial(_read, desk.language)
    return {
        "shown": board_of(plan, read) if plan else [],
        "facts": facts_of(plan, read) if plan else None,
        "own": {key for key in plan.items if key not in desk.plan.items} if plan else set(),
        "toggles": [
            {"id": each.id, "title": said(each.title, desk.language), "chosen": each.id in chosen}
            for each in content.add_ons
        ],
        "problems": [problem_line(each) for each in troubles],
    }


def problem_line(trouble: Trouble) -> dict[str, Any]:
    """A problem, as the editor says it."""
    problem = trouble.problem
    return {"message": problem.message, "fix": problem.fix, "sold_with": ", ".join(trouble.sold_with)}


def _read(language: str, text: Text) -> str:
    return said(text, language)
