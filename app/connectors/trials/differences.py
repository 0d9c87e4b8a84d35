"""What another version of a manifest means for those who use it: nothing, something new, or something broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.connectors.kit.manifest import Action, Manifest
from app.connectors.kit.settings import LEVELS

Bump = Literal["none", "patch", "minor", "major"]
_ORDER: Final[tuple[Bump, ...]] = ("none", "patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference and the bump that it asks for."""

    bump: Bump
    place: str
    said: str


def differences(old: Manifest, new: Manifest) -> list[Difference]:
    """Every difference that matters to whoever uses the connector, the gravest first."""
    found = [*_of_connector(old, new), *_of_actions(old, new)]
    if not found and old != new:
        found = [Difference("patch", "/", "only what nobody outside sees is different")]
    return sorted(found, key=lambda each: (-_ORDER.index(each.bump), each.place))


def needed_bump(found: list[Difference]) -> Bump:
    """The greatest bump of all."""
    return max((each.bump for each in found), key=_ORDER.index, default="none")


def made_bump(old: Manifest, new: Manifest) -> Bump:
    """The bump that the version numbers say."""
    before, after = ([int(part) for part in each.version.split(".")] for each in (old, new))
    for bump, one, other in zip(("major", "minor", "patch"), before, after, strict=True):
        if other != one:
            return bump if other > one else "none"  # type: ignore[return-value]  # one of the three words
    return "none"


def enough(old: Manifest, new: Manifest, needed: Bump) -> bool:
    """Whether the version says as much as it must."""
    return _ORDER.index(made_bump(old, new)) >= _ORDER.index(needed)


def _of_connector(old: Manifest, new: Manifest) -> Iterator[Difference]:
    if old.provider != new.provider:
        yield Difference("major", "/provider", "is another connector")
    for host in sorted(set(new.egress.hosts) - set(old.egress.hosts)):
        yield Difference("major", "/egress/hosts", f"{host} is called as well: who runs firewalls has to allow it")
    if old.auth != new.auth:
        yield Difference("major", "/auth", "connections sign in otherwise")
    for name in sorted(set(new.secrets) - set(old.secrets)):
        yield Difference("major", f"/secrets/{name}", "is needed as well: no connection has it")
    for name in sorted(set(old.secrets) - set(new.secrets)):
        yield Difference("minor", f"/secrets/{name}", "is not needed any more")
    if LEVELS.index(new.default_level) > LEVELS.index(old.default_level):
        yield Difference("major", "/default_level", "connections may do more without anybody's decision")
    elif new.default_level != old.default_level:
        yield Difference("major", "/default_level", "connections may do less than they did")
    yield from _of_input("/config", old.config, new.config)


def _of_actions(old: Manifest, new: Manifest) -> Iterator[Difference]:
    for name in sorted(set(old.actions) - set(new.actions)):
        yield Difference("major", f"/actions/{name}", "is gone")
    for name in sorted(set(new.actions) - set(old.actions)):
        yield Difference("minor", f"/actions/{name}", "is new")
    for name in sorted(set(new.actions) & set(old.actions)):
        yield from _of_action(f"/actions/{name}", old.actions[name], new.actions[name])


def _of_action(place: str, old: Action, new: Action) -> Iterator[Difference]:
    if LEVELS.index(new.level) > LEVELS.index(old.level):
        yield Difference("major", place, f"needs the level {new.level}, {old.level} was enough")
    for name in ("effect", "idempotency", "on_unknown"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Difference("major", f"{place}/{name}", f"was {before}, is {after}")
    yield from _of_input(f"{place}/input", old.input, new.input)
    yield from _of_output(f"{place}/output", old.output, new.output)
    hidden = ("request", "errors", "timeout", "transform", "paging", "derive")
    if any(getattr(old, name) != getattr(new, name) for name in hidden):
        yield Difference("patch", place, "is asked for otherwise")


def _of_input(place: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    """What is sent by others: to ask for more breaks them."""
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield Difference("major", f"{place}/{name}", "is required")
    for name in sorted(set(before) - set(after)):
        yield Difference("major", f"{place}/{name}", "is not taken any more")
    for name in sorted(set(after) - set(before) - set(new.get("required", ()))):
        yield Difference("minor", f"{place}/{name}", "may be given")
    for name in sorted(set(after) & set(before)):
        if after[name] != before[name]:
            yield Difference("major", f"{place}/{name}", "is taken in another form")


def _of_output(place: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    """What others read: to promise less breaks them."""
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(before) - set(after)):
        yield Difference("major", f"{place}/{name}", "is not given any more")
    for name in sorted((set(old.get("required", ())) - set(new.get("required", ()))) & set(after)):
        yield Difference("major", f"{place}/{name}", "is not promised any more")
    for name in sorted(set(after) - set(before)):
        yield Difference("minor", f"{place}/{name}", "is given as well")
    for name in sorted(set(after) & set(before)):
        if after[name] != before[name]:
            yield Difference("major", f"{place}/{name}", "is given in another form")
