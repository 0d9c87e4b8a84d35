"""What the tree may not say: unfinished work, exemptions without a reason, swallowed surprises, somebody's machine."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, Module, dotted, files, modules, none, planted, texts

# Each first letter stands in brackets, so that this file does not find itself.
UNFINISHED = re.compile(
    r"\b(?-i:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b|\braise [N]otImplementedError|[l]orem ipsum|[c]oming soon"
    r"|\b[f]or now\b|\b[i]n a real (system|world|life)\b",
    re.IGNORECASE,
)
WRITTEN_BY_US = ("app", "tenants", "migrations", "tests", "frontend", "templates_library", "deploy", "docs", ".ci")
SPEAKS = {".py", ".html", ".css", ".js", ".mjs", ".yaml", ".yml", ".md", ".sh", ".txt", ".sql", ""}

EXEMPTION = re.compile(
    r"#\s*(noqa(:\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*)?|type:\s*ignore(\[[^]]*])?|pragma:\s*no cover|fmt:\s*\w+)"
)
REASON = re.compile(r"[A-Za-z]{2,}\W+\w{2,}|[A-Za-z]{5,}")
CLOCKS = ("perf_counter", "perf_counter_ns", "process_time", "process_time_ns")
HOST = re.compile(r"https?://|\"resolved\"|--(extra-)?index-url|--find-links|--trusted-host|^\s*registry\s*=")
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-node.txt",
    "frontend/package-lock.json",
    "frontend/.npmrc",
)


def unfinished(path: str, text: str) -> Iterator[str]:
    """Lines that say the work is not done."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := UNFINISHED.search(line):
            yield f"{path}:{number} says {found.group()!r}: finish it, or leave it out"


def comments(module: Module) -> Iterator[tuple[int, str]]:
    """Each comment with its line."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def bare_exemptions(module: Module) -> Iterator[str]:
    """`noqa`, `type: ignore` and the like without a rule or without a reason beside or above them."""
    for number, comment in comments(module):
        if not (found := EXEMPTION.search(comment)) or found.group(1).startswith("fmt"):
            continue
        above = module.lines[number - 2].strip() if number > 1 else ""
        if not (found.group(2) or found.group(4) or "pragma" in found.group(1)):
            yield module.at(number, f"{found.group()}: name the rule that is waived")
        elif not REASON.search(EXEMPTION.sub("", comment)) and not (above.startswith("#") and REASON.search(above)):
            yield module.at(number, f"{found.group()}: say why, beside it or above it")


def broad_handlers(module: Module) -> Iterator[str]:
    """`except Exception` (or wider) without a sentence that says why every surprise is caught here."""
    said = {number for number, comment in comments(module) if REASON.search(EXEMPTION.sub("", comment))}
    for node in module.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
            wide = node.type is None or {"Exception", "BaseException"} & {dotted(each) for each in caught}
            if wide and not said & {node.lineno - 1, node.lineno, node.lineno + 1}:
                yield module.at(node, "catches every surprise: say why, or name what is expected")


def hollow(module: Module) -> Iterator[str]:
    """Functions without a body, except what a protocol or an abstract class declares."""
    spoken = [number for number, _ in comments(module)]
    declared: set[int] = set()
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and {"Protocol", "ABC"} & {dotted(b).split(".")[-1] for b in node.bases}:
            declared |= {id(child) for child in node.body}
    for function in module.functions():
        overload = any(dotted(d).split(".")[-1] in {"overload", "abstractmethod"} for d in function.decorator_list)
        body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
        said = any(function.lineno <= number <= (function.end_lineno or 0) for number in spoken)
        if not overload and id(function) not in declared and not said and all(isinstance(n, ast.Pass) for n in body):
            yield module.at(
                function, f"{function.name} does nothing: write it, or say in a comment why nothing is right"
            )


def naps(module: Module) -> Iterator[str]:
    """Sleeps, skips and expected failures in tests without a reason beside or above them."""
    spoken = {number for number, comment in comments(module) if REASON.search(comment)}
    for call, name in module.calls():
        if name in {"time.sleep", "sleep"} and not spoken & {call.lineno, call.lineno - 1}:
            yield module.at(call, "sleeps: await the condition, or say in a comment what cannot be awaited")
        told = bool(call.args) or any(word.arg == "reason" for word in call.keywords)
        if name.endswith(("mark.skip", "mark.xfail", "pytest.skip", "pytest.xfail")) and not told:
            yield module.at(call, f"{name} without a reason")
    for node in module.nodes:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant):
            yield module.at(node, "asserts a constant: it cannot fail")


def stopwatches(module: Module) -> Iterator[str]:
    """Assertions about a measured time: true on one machine, on a quiet day. Budgets are the benchmarks'."""
    for node in module.nodes:
        if isinstance(node, ast.Assert):
            for call in ast.walk(node.test):
                if isinstance(call, ast.Call) and dotted(call.func).rpartition(".")[2] in CLOCKS:
                    yield module.at(node, "asserts a measured time: measure it in tests/benchmarks, count here")


def of_this_machine(path: str, text: str, places: list[str]) -> Iterator[str]:
    """Lines that name a folder of the machine the tree stands on."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{path}:{number} names {place}, a path of this machine" for place in places if place in line)


def with_hosts(path: str, text: str) -> Iterator[str]:
    """Lines of a lock file that say where to fetch from, which is the installation's own business."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := HOST.search(line.split(" #")[0] if path.endswith(".txt") else line):
            yield f"{path}:{number} says {found.group()!r}: a lock holds versions and hashes only"


class TestUnfinishedWork:
    """What is promised for later is not there today; the reader of a page or a message finds out last."""

    def test_is_nowhere(self):
        ours = ((path, text) for path, text in texts(*WRITTEN_BY_US) if Path(path).suffix in SPEAKS)
        none(offence for path, text in ours for offence in unfinished(path, text))

    # The underscore keeps this file from finding itself.
    @pytest.mark.parametrize(
        "line", ["# TO_DO: later", "raise Not_ImplementedError", "<p>Coming_ soon", "# fine for_ now"]
    )
    def test_is_noticed(self, line):
        assert list(unfinished("app/intake/rules.py", line.replace("_", "", 1)))

    def test_leaves_html_attributes_and_words_alone(self):
        assert not list(unfinished("frontend/a.html", '<input placeholder="Name"> for nowhere, mastodon'))


class TestExemptions:
    """An exemption is a small decision; without its reason the next reader can only copy it."""

    def test_name_their_rule_and_their_reason(self):
        none(offence for module in modules() for offence in bare_exemptions(module))

    @pytest.mark.parametrize(
        "line", ["x = 1  # noqa", "x = 1  # noqa: S105", "x = 1  # type: ignore[arg-type]", "x = 1  # type: ignore"]
    )
    def test_are_noticed(self, line):
        assert list(bare_exemptions(planted("app/x.py", line)))

    def test_with_a_reason_beside_or_above_are_fine(self):
        assert not list(bare_exemptions(planted("app/x.py", "x = 1  # noqa: S105 - the name of a header, no secret")))
        assert not list(bare_exemptions(planted("app/x.py", "# The name of a header, no secret.\nx = 1  # noqa: S105")))


class TestSurprises:
    """Expected trouble has a name; a handler for everything hides the bug that was worth a night's sleep."""

    def test_are_caught_for_a_stated_reason_only(self):
        none(offence for module in modules("app", "tenants") for offence in broad_handlers(module))

    @pytest.mark.parametrize("caught", ["except Exception:", "except:", "except (ValueError, BaseException) as e:"])
    def test_caught_silently_are_noticed(self, caught):
        assert list(broad_handlers(planted("app/x.py", f"try:\n    f()\n{caught}\n    g()\n")))

    def test_caught_with_a_sentence_are_fine(self):
        text = (
            "try:\n    f()\nexcept Exception:  # noqa: BLE001 - one tenant's failure must not stop the fleet\n    g()\n"
        )
        assert not list(broad_handlers(planted("app/x.py", text)))


class TestHollowFunctions:
    """A function that does nothing passes every test that does not look."""

    def test_are_nowhere(self):
        none(offence for module in modules("app", "tenants") for offence in hollow(module))

    def test_are_noticed_outside_protocols(self):
        assert list(hollow(planted("app/x.py", 'def f():\n    """Send it."""\n')))
        assert list(hollow(planted("app/x.py", "class A:\n    def f(self):\n        ...\n")))
        assert not list(hollow(planted("app/x.py", "class A(Protocol):\n    def f(self): ...\n")))
        assert not list(hollow(planted("app/x.py", "def f():\n    pass  # the sink keeps nothing to close\n")))


class TestTests:
    """A sleep is a race that has not been lost yet, a constant assertion a test that cannot fail."""

    def test_await_conditions_and_can_fail(self):
        none(offence for module in modules("tests") for offence in naps(module))

    @pytest.mark.parametrize("line", ["time.sleep(1)", "assert True", "pytest.mark.xfail()", "pytest.skip()"])
    def test_that_do_not_are_noticed(self, line):
        assert list(naps(planted("tests/x.py", line)))

    def test_measure_no_time_to_pass(self):
        tests = [module for module in modules("tests") if not module.path.startswith("tests/benchmarks/")]
        none(offence for module in tests for offence in stopwatches(module))

    def test_that_do_are_noticed(self):
        assert list(stopwatches(planted("tests/x.py", "assert time.perf_counter() - began < 0.5")))


class TestMachines:
    """A path of one machine works on one machine; a host in a lock sends everyone to one mirror."""

    def test_are_named_nowhere(self):
        places = [f"{place}/" for place in (ROOT, Path.home()) if len(place.parts) > 1]
        none(offence for path, text in texts() for offence in of_this_machine(path, text, places))

    def test_are_noticed(self):
        assert list(of_this_machine("docs/a.md", f"cd {ROOT}/app", [f"{ROOT}/"]))

    def test_are_not_in_the_locks(self):
        there = [(path, (ROOT / path).read_text()) for path in LOCKS if (ROOT / path).exists()]
        none(offence for path, text in there for offence in with_hosts(path, text))

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("requirements.txt", "--index-url somewhere"),
            ("requirements.txt", "uv @ https://example.test/uv.whl"),
            ("frontend/package-lock.json", '"resolved": "x"'),
            ("frontend/.npmrc", "registry=x"),
        ],
    )
    def test_in_a_lock_are_noticed(self, path, line):
        assert list(with_hosts(path, line))

    def test_locks_hold_a_hash_for_everything(self):
        for path in LOCKS[:3]:
            pinned = re.findall(r"^[a-z0-9][^\s;]*==[^\\]*\\?\n(.*)", (ROOT / path).read_text(), re.MULTILINE)
            assert pinned, path
            assert all("--hash=sha256:" in following for following in pinned), path
        packages = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
        none(f"{name}: no integrity" for name, entry in packages.items() if name and "integrity" not in entry)


class TestBuiltAssets:
    """What a tool can build again is not kept: nobody reviews it and it goes stale."""

    def test_are_not_in_the_tree(self):
        built = {".pyc", ".mo", ".min.js", ".min.css", ".whl", ".woff2", ".map"}
        none(f"{path}: built or third-party" for path in files() if any(path.endswith(end) for end in built))
