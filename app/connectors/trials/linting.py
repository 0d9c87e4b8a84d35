"""Every fault of a connector's folder, with its place: what the start-up says of the first, an author wants at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from app.connectors.kit.consistency import contradictions
from app.connectors.kit.contract import CONNECTION, Connector, faults_of_fixtures, read_unrecorded
from app.connectors.kit.manifest import SCHEMA, Manifest, ManifestWrong, load_manifest

_NEEDED = ("__init__.py", "README.md", "stand_in.py")
_DIAGRAM = "```mermaid"
_FIRST = "1.0.0"
NOTICE = timedelta(days=180)  # between the announcement that a connector will be gone, and its end


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """One fault: the file, the place in it, and what is wrong there."""

    file: str
    place: str
    said: str

    def __str__(self) -> str:
        """On one line, the file first, so that an editor can jump to it."""
        return f"{self.file}: {self.place or '/'}: {self.said}"


def flaws_of(folder: Path) -> list[Flaw]:
    """Everything that is wrong with a folder; empty for a connector that can be installed."""
    if not folder.is_dir():
        return [Flaw(str(folder), "", "there is no such folder")]
    found = sorted(set(_of_files(folder)) | set(_of_manifest(folder)))
    if found:
        return found
    try:
        connector = read_unrecorded(folder)
    except ManifestWrong as error:
        return [Flaw(str(folder), "", str(error).removeprefix(f"{folder}: "))]
    recorded = (Flaw(str(folder / file), place, said) for file, place, said in faults_of_fixtures(connector))
    return sorted([*recorded, *_of_strangers(connector), *_of_stand_in(folder / "stand_in.py")])


def _of_files(folder: Path) -> Iterator[Flaw]:
    for name in _NEEDED:
        if not (folder / name).is_file():
            yield Flaw(str(folder / name), "", "is missing")
    readme = folder / "README.md"
    if readme.is_file() and _DIAGRAM not in readme.read_text(encoding="utf-8"):
        yield Flaw(str(readme), "", "has no data-flow diagram (a mermaid block)")


def _of_manifest(folder: Path) -> Iterator[Flaw]:
    path = folder / "manifest.yaml"
    if not path.is_file():
        yield Flaw(str(path), "", "is missing")
        return
    try:
        document = YAML(typ="safe", pure=True).load(path)
    except (YAMLError, ValueError) as error:
        yield Flaw(str(path), "", str(error).replace("\n", " "))
        return
    wrong = list(SCHEMA.iter_errors(document))
    for each in wrong:
        yield Flaw(str(path), "/" + "/".join(str(part) for part in each.instance_path), each.message[:200])
    if wrong:
        return
    try:
        manifest = load_manifest(path)
    except ManifestWrong as error:  # a document of GraphQL that is not there
        place, _, said = str(error).removeprefix(f"{path}: ").partition(": ")
        yield Flaw(str(path), place, said)
    else:
        yield from _of_meaning(path, manifest)


def _of_meaning(path: Path, manifest: Manifest) -> Iterator[Flaw]:
    if manifest.provider != path.parent.name:
        yield Flaw(str(path), "/provider", f"is not the name of the folder, {path.parent.name}")
    yield from (Flaw(str(path), f"/{place}", said) for place, said in contradictions(manifest))
    yield from (Flaw(str(path), place, said) for place, said in _of_changes(manifest))
    for name, action in manifest.actions.items():
        for side, schema in (("input", action.input), ("output", action.output)):
            try:
                jsonschema_rs.meta.validate(schema)
            except (jsonschema_rs.ValidationError, ValueError) as error:
                yield Flaw(str(path), f"/actions/{name}/{side}", str(error).splitlines()[0])


def _of_changes(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Users of a connector are told what a version changed, and long before it will be gone (REQUIREMENTS 1.9, P9)."""
    told = [tuple(int(part) for part in each.version.split(".")) for each in manifest.changes]
    if manifest.version != _FIRST and manifest.version not in {each.version for each in manifest.changes}:
        yield "/changes", f"does not say what version {manifest.version} changed, why, and what its users do"
    if told != sorted(set(told), reverse=True):
        yield "/changes", "must name each version once, the newest first"
    gone = manifest.deprecated
    if gone is not None and gone.until - gone.since < NOTICE:
        yield "/deprecated/until", f"leaves users less than {NOTICE.days} days from the announcement"


def _of_strangers(connector: Connector) -> Iterator[Flaw]:
    known = {*connector.manifest.actions, CONNECTION}
    for path in sorted((connector.folder / "fixtures").glob("*.json")):
        if path.stem not in known:
            yield Flaw(str(path), "", "belongs to no action")


def _of_stand_in(path: Path) -> Iterator[Flaw]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        yield Flaw(str(path), "", f"is no Python: {error}")
        return
    if not any(isinstance(each, ast.FunctionDef) and each.name == "start" for each in tree.body):
        yield Flaw(str(path), "", "has no start(port, tokens)")
