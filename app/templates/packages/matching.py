"""Which package a deal was sold with, told by what its CRM calls things. Exactly one, or a person decides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.templates.packages.document import Package, said

RULE_VERSION = "package-choice/1"
FACTS = ("package", "product", "add_ons")


@dataclass(frozen=True, slots=True)
class Offer:
    """The newest version of a package of a partner; a retired one is not sold any more."""

    package: Package
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold: a package's published version, and those of its add-ons."""

    package: Package
    add_ons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody guesses: why it is not clear, and which of the deal's facts has to be put right."""

    reason: str
    fact: str


def choose(offers: Sequence[Offer], facts: Mapping[str, Any], template: str | None) -> Sold | Unclear | None:
    """What the facts say was sold, in a lane that runs this template; None for a deal that speaks of no package.

    `package` is taken before `product`. Where none of the partner's packages stands on the lane's template, a product
    is only a product; where one does, a product that none of them knows is not guessed about.
    """
    add_ons = list(_names(facts.get("add_ons")))
    fact = "package" if _word(facts.get("package")) else "product"
    wanted = _word(facts.get(fact))
    here = [each for each in offers if template in {None, each.package.content.template}]
    sold_here = [each for each in here if not each.retired]
    if not wanted or (fact == "product" and not sold_here and not _fitting(offers, wanted)):
        if add_ons and offers:
            return Unclear("Add-ons were sold, and it is not said with which package.", "package")
        return None
    fitting = _fitting(here, wanted)
    current = [each for each in fitting if not each.retired]
    if len(current) != 1:
        return Unclear(_why(str(facts[fact]), offers, fitting, sold_here), fact)
    return _with_add_ons(current[0].package, add_ons)


def _with_add_ons(package: Package, wanted: Iterable[str]) -> Sold | Unclear:
    chosen: set[str] = set()
    title = said(package.content.title, "en")
    for name in wanted:
        fitting = [
            each.id
            for each in package.content.add_ons
            if _normal(name) in _called(each.id, each.title.values(), each.called)
        ]
        if len(fitting) != 1:
            return Unclear(f"“{name}” is {'more than one' if fitting else 'no'} add-on of “{title}”.", "add_ons")
        chosen.update(fitting)
    return Sold(package, tuple(each.id for each in package.content.add_ons if each.id in chosen))


def _why(wanted: str, offers: Sequence[Offer], fitting: Sequence[Offer], sold_here: Sequence[Offer]) -> str:
    """Why not exactly one fits, as a person can put it right."""
    current = [each for each in fitting if not each.retired]
    if current:
        return f"“{wanted}” may be any of {_list(current)}: the deal must name one of them."
    if fitting:
        return f"“{wanted}” is {_list(fitting)}, which is not sold any more."
    elsewhere = _fitting(offers, _normal(wanted))
    if elsewhere:
        return f"“{wanted}” is {_list(elsewhere)}, which stands on another template than this workflow runs."
    known = f" There are: {_list(sold_here)}." if sold_here else ""
    return f"“{wanted}” is no package that is sold.{known}"


def _fitting(offers: Iterable[Offer], wanted: str) -> list[Offer]:
    return [
        each
        for each in offers
        if wanted in _called(each.package.id, each.package.content.title.values(), each.package.content.called)
    ]


def _called(name: str, titles: Iterable[str], called: Iterable[str]) -> set[str]:
    return {_normal(each) for each in (name, *titles, *called)}


def _names(value: object) -> Iterator[str]:
    """A list of names, or one text with semicolons, as CRMs write a choice of several."""
    entries = value.split(";") if isinstance(value, str) else value if isinstance(value, list) else ()
    yield from (str(each).strip() for each in entries if str(each).strip())


def _word(value: object) -> str:
    return _normal(value) if isinstance(value, str) else ""


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()


def _list(offers: Sequence[Offer]) -> str:
    return ", ".join(f"“{said(each.package.content.title, 'en')}”" for each in offers)
