"""Reads a package and believes nothing in it: size, form, shape, addresses, signature, soundness of its template."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Any

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.audit.note import NoteBroken, NoteKey, read_key
from app.flow.definition import Definition
from app.flow.reading import path_text
from app.kernel.errors import Invalid
from app.templates.document import DEEPEST, Source
from app.templates.language import Template, check_template
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.overlays.marks import check_marks
from app.templates.packing.package import ADAPTED, FORMAT, LARGEST, PARTS, address_of
from app.templates.rules import Path, Problem, TemplateRefused
from app.templates.schema import check_schema
from app.templates.trials.reading import NO_SAMPLE, Sample, Scenario, check_sample
from app.templates.trials.running import run_tests


class PackageAltered(Invalid):
    """It is not what was packed."""


class PackageUnreadable(Invalid):
    """It is no package that this installation can read."""


@dataclass(frozen=True, slots=True)
class Package:
    """What a package holds, after every check."""

    template: Template
    document: dict[str, Any]
    key: NoteKey
    effective: Effective

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """The adaptations upon the template, in their order."""
        return self.effective.overlays

    @property
    def chain(self) -> tuple[Template | Overlay, ...]:
        """The template and the adaptations upon it, in their order."""
        return self.template, *self.overlays

    @property
    def address(self) -> str:
        """The template's content address."""
        return self.template.digest

    @property
    def tests(self) -> int:
        """How many tests came with it, and passed."""
        return sum(len(each["tests"]) for each in self.document["tests"])


@dataclass(frozen=True, slots=True)
class _Part(Source):
    """A part of a package: there are no lines, so problems name their path."""

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem at a path by its words."""
        del key
        words = path_text(self.document, path)
        return Problem(self.file, 1, 1, f"{words}: {message}" if words else message, fix)


def read_package(raw: bytes, *, trusted: NoteKey | None = None, sound: Checked | None = None) -> Package:
    """A package of which every byte is as it was signed, and whose template passes every check here.

    `trusted` must have signed it, where it is given; a template whose address `sound` holds has passed before.
    Raises PackageUnreadable, PackageAltered, TemplateRefused.
    """
    document, key = read_signed(raw, trusted=trusted)
    source = _Part("template", document["template"], {}, {})
    _check_sound(source, document, checked=sound is not None and sound.holds(document["addresses"]["template"]))
    template = Template(source.document, document["addresses"]["template"], source)
    return Package(template, document, key, _adapted(template, document))


def read_signed(raw: bytes, *, trusted: NoteKey | None = None) -> tuple[dict[str, Any], NoteKey]:
    """What a package says and whose word it is, every byte as it was signed; whether it is sound is not looked at.

    Raises PackageUnreadable, PackageAltered.
    """
    document = _parsed(raw)
    problems = check_schema(_Part("package", document, {}, {}), "package")
    if problems:
        raise PackageUnreadable(f"This has not the form of a package: {problems[0].message}")
    return document, _check_signed(document, trusted)


def _adapted(template: Template, document: dict[str, Any]) -> Effective:
    """The template, which is sound, with the overlays laid upon it one after another. Raises TemplateRefused."""
    sources = [_Part(f"overlay {number}", each, {}, {}) for number, each in enumerate(document.get("overlays", ()), 1)]
    problems = [problem for each in sources for problem in check_schema(each, "overlay") or check_marks(each)]
    if problems:
        raise TemplateRefused(problems)
    overlays = [Overlay(each.document, address_of(each.document), each) for each in sources]
    sound = Checked()
    sound.add(template.digest)
    return apply_overlays(template, overlays, checked=sound)


def _parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > LARGEST:
        raise PackageUnreadable(f"A package has at most {LARGEST:,} bytes, this file has more.")
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PackageUnreadable("This is no package: it is not JSON, or it is cut off.") from None
    if not isinstance(document, dict) or not isinstance(document.get("package"), str):
        raise PackageUnreadable("This is no package: nothing in it says so.")
    if document["package"] not in PARTS:
        raise PackageUnreadable(
            f"This package is of format {document['package'][:20]}, and this installation reads the formats {FORMAT} "
            f"and {ADAPTED}. Upgrade this installation, or ask for the package in the older format."
        )
    if _depth(document) > DEEPEST:
        raise PackageUnreadable(f"This is no package: it is deeper than {DEEPEST} levels.")
    try:
        canonical = rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
        canonical = b""
    if canonical != raw:
        raise PackageAltered(
            "The file is not in its one form (RFC 8785): it was written anew, reordered, or something was appended."
        )
    return document


def _depth(document: Any) -> int:
    deepest, level = 0, [document]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = [below for node in level for below in _below(node)]
    return deepest


def _below(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _check_signed(document: dict[str, Any], trusted: NoteKey | None) -> NoteKey:
    """Whose signature it is. Raises PackageAltered with what is not as it was packed."""
    altered = [name for name in PARTS[document["package"]] if address_of(document[name]) != document["addresses"][name]]
    if altered:
        raise PackageAltered(f"Not as it was packed: {', '.join(altered)}. Its address is of other content.")
    try:
        key = read_key(document["key"])
    except NoteBroken:
        raise PackageAltered("The publisher's key in the package is damaged.") from None
    if trusted is not None and key != trusted:
        raise PackageAltered(f"This was signed with another key than the one you trust: {key.written}")
    if key.name != document["publisher"]:
        raise PackageAltered(f"The key is of “{key.name}”, and the package says it is from “{document['publisher']}”.")
    signed = {name: value for name, value in document.items() if name != "signature"}
    try:
        signature = b64decode(document["signature"].encode("ascii"), validate=True)
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, rfc8785.dumps(signed))
    except (InvalidSignature, NotBase64, ValueError):
        raise PackageAltered(
            "The signature does not fit: the signature, the key, the addresses, the publisher, the date or the "
            "language is not as it was packed, or somebody else has packed it."
        ) from None
    return key


def _check_sound(source: Source, document: dict[str, Any], *, checked: bool) -> None:
    """Raises TemplateRefused with all that is wrong with the template, its sample or its tests here."""
    problems = [] if checked else check_template(source)
    if not problems and document["language"] != source.document["slipway"]:
        problems = [source.problem(("slipway",), "The package says it is of another version of the language.")]
    if not problems:
        definition = Template(source.document, document["addresses"]["template"], source).compile()
        problems = _problems_of_tests(document, definition)
    if problems:
        raise TemplateRefused(problems)


def _problems_of_tests(document: dict[str, Any], definition: Definition) -> list[Problem]:
    parts = [_Part("tests", each, {}, {}) for each in document["tests"]]
    problems = [problem for part in parts for problem in check_schema(part, "tests")]
    sample = NO_SAMPLE
    if document["sample"] is not None:
        sample = Sample(_Part("sample", document["sample"], {}, {}))
        problems += check_schema(sample.source, "sample") or check_sample(sample, definition)
    if problems:
        return problems
    for part in parts:
        tests = [Scenario(part, ("tests", index), each) for index, each in enumerate(part.document["tests"])]
        outcomes = run_tests(tests, sample, lambda partner: definition if partner is None else None)
        problems += [problem for outcome in outcomes for problem in outcome.problems]
    return problems
