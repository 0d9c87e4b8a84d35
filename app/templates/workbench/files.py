"""The files of templates on disk: which of them somebody means by a path, and their text. Reads; writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.kernel.errors import Invalid, Missing
from app.templates.components import Component, read_component
from app.templates.document import LARGEST, read_yaml
from app.templates.rules import Problem, TemplateRefused

LIBRARY = Path(__file__).parents[3] / "templates_library"
TEMPLATE, TESTS, SAMPLE = "template.yaml", "tests.yaml", "sample.yaml"
Kind = Literal["template", "overlay", "component"]
_COMPONENT = re.compile(r"component/([a-z][a-z0-9-]+)@(\d+\.\d+\.\d+)")
_MOST_FILES = 1_000


class NoSuchFile(Missing):
    """A path leads to nothing."""


class NothingToCheck(Invalid):
    """A folder without templates, or a file that is none of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file that is checked by itself, with all that lies beside it."""

    kind: Kind
    path: Path


def find_files(path: Path) -> list[Found]:
    """What a path means: one file, or all templates and components in a folder. Raises NoSuchFile, NothingToCheck."""
    if not path.exists():
        raise NoSuchFile(f"There is no {path}.")
    if path.is_dir():
        return _in_folder(path)
    if not path.is_file():
        raise NothingToCheck(f"{path} is no file.")
    if path.name in {TESTS, SAMPLE} or path.parent.name == "tests":
        beside = (path.parent if path.parent.name != "tests" else path.parent.parent) / TEMPLATE
        if not beside.is_file():
            raise NothingToCheck(f"{path} stands beside no {TEMPLATE}.")
        return [Found("template", beside)]
    return [Found(_kind_of(path), path)]


def one_template(path: Path) -> Path:
    """The template that a path means: its file or its folder. Raises NoSuchFile, NothingToCheck."""
    found = find_files(path)
    if len(found) > 1 or found[0].kind != "template":
        raise NothingToCheck(f"{path} is not one template; name its {TEMPLATE} or its folder.")
    return found[0].path


def _in_folder(folder: Path) -> list[Found]:
    found = [Found("template", path) for path in sorted(folder.rglob(TEMPLATE)) if path.is_file()]
    found += [Found("component", path) for path in sorted(folder.rglob("components/*/*.yaml")) if path.is_file()]
    if folder.parent.name == "components":
        found += [Found("component", path) for path in sorted(folder.glob("*.yaml"))]
    if not found:
        raise NothingToCheck(f"{folder} holds no {TEMPLATE} and no components.")
    if len(found) > _MOST_FILES:
        raise NothingToCheck(f"{folder} holds {len(found):,} templates; {_MOST_FILES:,} are checked at once.")
    return found


def _kind_of(path: Path) -> Kind:
    """What a file says it is. Raises TemplateRefused, NothingToCheck."""
    document = read_yaml(text_of(path), shown(path)).document
    if "overlay" in document:
        return "overlay"
    if "component" in document:
        return "component"
    if path.name == TEMPLATE or "stages" in document:
        return "template"
    raise NothingToCheck(f"{path} is no template, overlay or component: it has neither stages, overlay nor component.")


def text_of(path: Path) -> str:
    """The text of a file. Raises NoSuchFile, and TemplateRefused for what is no text or too much of it."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as trouble:
        raise NoSuchFile(f"{path} cannot be read: {trouble.strerror}.") from None
    if len(raw) > LARGEST:
        raise TemplateRefused([Problem(shown(path), 1, 1, f"The file is larger than {LARGEST // 1000} kB.")])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as trouble:
        before = raw[: trouble.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "The file is not UTF-8 text."
        raise TemplateRefused([Problem(shown(path), line, column, message, "Save it as UTF-8.")]) from None


def shown(path: Path) -> str:
    """A path as people here write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def tests_beside(template: Path) -> Iterator[Path]:
    """The files with a template's tests."""
    if (path := template.parent / TESTS).is_file():
        yield path
    yield from sorted((template.parent / "tests").glob("*.yaml"))


def component_in(library: Path, name: str) -> Component | None:
    """A component of a library by its full name (`component/<id>@<version>`). Raises TemplateRefused."""
    found = _COMPONENT.fullmatch(name)
    path = library / "components" / found[1] / f"{found[2]}.yaml" if found else None
    return read_component(text_of(path), shown(path)) if path and path.is_file() else None


def component_beside(template: Path, name: str) -> Component | None:
    """A component of the library that a template lies in, else of ours. Raises TemplateRefused."""
    return component_in(template.resolve().parent.parent.parent, name) or component_in(LIBRARY, name)
