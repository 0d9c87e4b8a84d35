"""`slipway templates keygen`, `pack` and `verify`: a template as one signed file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.note import NoteBroken, NoteKey, read_key
from app.kernel.errors import Invalid
from app.kernel.outbound.world_clock import world_time
from app.templates.packing.package import LARGEST, Contents, publisher, write_package
from app.templates.packing.reading import read_package
from app.templates.rules import TemplateRefused
from app.templates.trials.reading import NO_SAMPLE
from app.templates.workbench.bench import Bench, open_bench, problems_of_template
from app.templates.workbench.files import one_template

_LARGEST_KEY = 10_000  # bytes


class FileUnfit(Invalid):
    """A file that was named cannot be read, or is in the way."""


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """The parsers of the three."""
    keygen = actions.add_parser("keygen", help="make a publisher's key; prints the public one")
    keygen.add_argument("-o", "--output", required=True, type=Path, metavar="PRIVATE.pem")
    keygen.add_argument("--publisher", required=True, metavar="NAME")
    keygen.set_defaults(run=run_keygen)
    pack = actions.add_parser("pack", help="write a template, its tests and its texts into one signed file")
    pack.add_argument("template", type=Path, metavar="TEMPLATE")
    pack.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    pack.add_argument("--key", required=True, type=Path, metavar="PRIVATE.pem")
    pack.add_argument("--publisher", required=True, metavar="NAME")
    pack.add_argument("--at", type=_moment, metavar="MOMENT", help="when it was made, in UTC; default: now")
    pack.set_defaults(run=run_pack)
    verify = actions.add_parser("verify", help="say whether a package is what was packed, and sound here")
    verify.add_argument("package", type=Path, metavar="FILE")
    verify.add_argument("--key", metavar="PUBLIC", help="the key you trust, or a file that holds it")
    verify.set_defaults(run=run_verify)


def run_keygen(chosen: argparse.Namespace) -> int:
    """Write a private key that only its owner can read. Raises FileUnfit."""
    private = Ed25519PrivateKey.generate()
    signer = publisher(chosen.publisher, private)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_new(chosen.output, pem, mode=0o600)
    print(signer.key.written)
    return 0


def run_pack(chosen: argparse.Namespace) -> int:
    """Check the template with all that lies beside it, and pack it. Raises TemplateRefused, FileUnfit."""
    signer = publisher(chosen.publisher, _private_key(chosen.key))
    template = one_template(chosen.template)
    problems = problems_of_template(template)
    if problems:
        raise TemplateRefused(problems)
    created = chosen.at or world_time().strftime("%Y-%m-%dT%H:%M:%SZ")
    raw = write_package(_contents(open_bench(template)), signer, created)
    package = read_package(raw, trusted=signer.key)  # what cannot be verified is not written
    _write_new(chosen.output, raw, mode=0o644)
    print(f"{chosen.output}: {package.template.id} {package.template.version}, {len(raw):,} bytes")
    print(f"address      {package.address}")
    print(f"key          {signer.key.written}")
    return 0


def run_verify(chosen: argparse.Namespace) -> int:
    """Say what the package is; what is wrong with it is raised."""
    trusted = _public_key(chosen.key) if chosen.key else None
    package = read_package(_read(chosen.package, LARGEST + 1), trusted=trusted)
    template, document = package.template, package.document
    print(f"Verified: {template.id} {template.version} by {package.key.name}, packed {document['created']}.")
    print(f"Sound here: it passes every check, and {package.tests} of its own tests.")
    print(f"address      {package.address}")
    print(f"key          {package.key.written}")
    print(f"fingerprint  {package.key.fingerprint}")
    if trusted is None:
        print("The key is the package's own word: compare its fingerprint with the publisher's, or use --key.")
    return 0


def _contents(bench: Bench) -> Contents:
    sample = bench.sample()
    return Contents(
        template=bench.template.document,
        tests=tuple(_own_tests(bench)),
        sample=None if sample is NO_SAMPLE else sample.source.document,
        readme=_text_beside(bench, "README.md"),
        changelog=_text_beside(bench, "CHANGELOG.md"),
    )


def _own_tests(bench: Bench) -> Iterator[Mapping[str, Any]]:
    """The tests of the template itself; those of a partner's overlay stay with the overlay."""
    own = [each for each in bench.tests() if each.overlay is None]
    for source in {id(each.source): each.source for each in own}.values():
        yield {**source.document, "tests": [each.document for each in own if each.source is source]}


def _text_beside(bench: Bench, name: str) -> str:
    path = bench.path.parent / name
    if not path.is_file():
        return ""
    try:
        return _read(path, LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise FileUnfit(f"{path} is not UTF-8 text.") from None


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(path, _LARGEST_KEY), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise FileUnfit(f"{path} holds no Ed25519 private key without a password; slipway templates keygen makes one.")
    return key


def _public_key(given: str) -> NoteKey:
    """The key itself, or a file that holds it. Raises FileUnfit."""
    try:
        written = given if "+" in given else _read(Path(given), _LARGEST_KEY).decode("ascii")
        return read_key(written)
    except (UnicodeDecodeError, NoteBroken):
        raise FileUnfit(f"{given} is neither a publisher's key (name+id+key) nor a file that holds one.") from None


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as trouble:
        raise FileUnfit(f"{path} cannot be read: {trouble.strerror}.") from None


def _write_new(path: Path, raw: bytes, *, mode: int) -> None:
    """All of it or nothing, and nothing is written over."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except OSError as trouble:
        raise FileUnfit(f"{path} cannot be written: {trouble.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)


def _moment(raw: str) -> str:
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a moment such as 2026-03-02T09:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
