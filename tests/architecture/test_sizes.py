"""How big things may get. There is no list of exceptions: what is too big is split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.architecture.source import Module, body_lines, dotted, files, modules, none, planted, texts

FILE_WALL = 400
FUNCTION_WALL = 30
DOOR_WALL = 15
PAGE_WALL = 80
FRAGMENT_WALL = 40
FOLDER_WALL = 12

SIZED = {".py", ".html", ".css", ".js", ".mjs", ".sql", ".sh"}
DOORS = {"get", "post", "put", "patch", "delete", "job", "timer_job"}
# Folders whose files are entries of one list, each read alone: revisions, decisions, macros, icons, mails.
LISTS = {"versions", "decisions", "components", "icons", "images", "emails"}


def too_long(path: str, text: str) -> Iterator[str]:
    """A file above its wall."""
    where = PurePosixPath(path)
    wall = FILE_WALL
    if where.suffix == ".html" and where.parts[1:2] not in {("layouts",), ("components",)}:
        wall = FRAGMENT_WALL if where.name.startswith("_") else PAGE_WALL
    lines = text.count("\n")
    if where.suffix in SIZED and lines > wall:
        yield f"{path}: {lines} lines, the wall is {wall}"


def long_functions(module: Module) -> Iterator[str]:
    """Functions above their wall; a door (a request's or a job's) has a lower one."""
    for function in module.functions():
        marks = {dotted(d.func if hasattr(d, "func") else d).split(".")[-1] for d in function.decorator_list}
        wall = DOOR_WALL if marks & DOORS else FUNCTION_WALL
        if (lines := body_lines(function)) > wall:
            yield module.at(function, f"{function.name}: {lines} lines, the wall is {wall}")


def crowded(paths: Iterable[str]) -> Iterator[str]:
    """Folders with a thirteenth file; `__init__.py` and `README.md` do not count."""
    counted = (PurePosixPath(path) for path in paths)
    folders = Counter(path.parent for path in counted if path.name not in {"__init__.py", "README.md"})
    yield from (
        f"{folder}: {n} files, the wall is {FOLDER_WALL}"
        for folder, n in sorted(folders.items())
        if n > FOLDER_WALL and folder.name not in LISTS
    )


class TestFiles:
    """Every codebase has a small median; the pain of the field is in its files of 2,000 to 5,000 lines."""

    def test_stay_below_the_wall(self):
        trees = texts("app", "tenants", "migrations", "tests", "frontend", "deploy")
        none(offence for path, text in trees for offence in too_long(path, text))

    def test_notices_one_line_too_many(self):
        assert list(too_long("app/intake/rules.py", "x\n" * 401))
        assert not list(too_long("app/intake/rules.py", "x\n" * 400))
        assert list(too_long("frontend/intake/deal.html", "x\n" * 81))
        assert list(too_long("frontend/intake/_row.html", "x\n" * 41))


class TestFunctions:
    """A function is read in one look; a door only parses, opens one unit of work and answers."""

    def test_stay_below_the_wall(self):
        none(offence for module in modules("app", "tenants") for offence in long_functions(module))

    def test_notices_a_long_function_but_not_a_long_docstring(self):
        prose = 'def f():\n    """One.\n\n' + "    text\n" * 40 + '    """\n    return 1\n'
        assert not list(long_functions(planted("app/x.py", prose)))
        assert list(long_functions(planted("app/x.py", "def f():\n" + "    x = 1\n" * 31)))

    def test_notices_a_fat_door(self):
        assert list(long_functions(planted("app/x/api.py", "@get('/')\ndef f():\n" + "    x = 1\n" * 16)))
        assert list(long_functions(planted("app/x/jobs.py", "@job('a.b')\ndef f():\n" + "    x = 1\n" * 16)))


class TestFolders:
    """The second file of a kind is fine; the thirteenth means a missing noun."""

    def test_hold_at_most_twelve_files(self):
        none(crowded(files("app", "tenants", "migrations", "tests", "frontend", "docs", "deploy", "templates_library")))

    def test_notices_the_thirteenth(self):
        assert list(crowded(f"app/kernel/m{n}.py" for n in range(13)))
        assert not list(crowded(f"migrations/cell/versions/m{n}.py" for n in range(13)))
