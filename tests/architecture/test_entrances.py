"""Every way in is guarded: routes say whose door they are, operations ask for a right, jobs know their tenant."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.source import Module, dotted, modules, none, planted
from tests.architecture.test_house import CAPABILITIES

# Who may come through: everybody · a sender with a token in the path · a person · a partner's staff · people and
# software of one tenant · software with an access token · a directory with its bearer token.
DOORS = {"public", "hook", "signed_in", "partner", "tenant", "machine", "directory"}
SCHEDULED_WALL = 12


def unguarded(routes: Any) -> Iterator[str]:
    """Handlers of a live route table that do not say whose door they are."""
    for route in routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:
            if getattr(handler, "http_methods", None) == {"OPTIONS"}:
                continue  # Litestar's own: says which methods there are, runs nothing of ours
            door = handler.opt.get("door")
            if door not in DOORS:
                yield f"{route.path} ({handler}): door={door!r}, one of {sorted(DOORS)} is needed"


def public_operations(module: Module) -> list[ast.FunctionDef]:
    """The functions an operations room offers."""
    if module.room != "operations" or module.parts[1] not in CAPABILITIES:
        return []
    return [node for node in module.tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def system_only(module: Module) -> dict[str, str]:
    """The module's own list of operations that no person calls, each with its reason."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and [dotted(target) for target in node.targets] == ["SYSTEM_ONLY"]:
            listed: dict[str, str] = ast.literal_eval(node.value)
            return listed
    return {}


def asks(module: Module, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function calls `require`, itself or through functions of its own module."""
    own = {node.name: node for node in module.tree.body if isinstance(node, ast.FunctionDef)}
    called = {dotted(n.func) for n in ast.walk(own[name]) if isinstance(n, ast.Call)}
    if any(call.split(".")[-1].startswith("require") for call in called):
        return True
    return any(asks(module, call, seen | {name}) for call in called & set(own) - seen - {name})


def unasked(module: Module) -> Iterator[str]:
    """Operations that neither ask for a right nor are listed, and entries of the list that are not true."""
    listed = system_only(module)
    offered = public_operations(module)
    for function in offered:
        if function.name not in listed and not asks(module, function.name):
            yield module.at(function, f"{function.name} calls no require() and is not in SYSTEM_ONLY")
        if function.name in listed and asks(module, function.name):
            yield module.at(function, f"{function.name} calls require() and is in SYSTEM_ONLY: one of them is wrong")
    if public_operations(module):
        yield from (
            module.at(1, f"SYSTEM_ONLY names {name}, which is not here")
            for name in set(listed) - {f.name for f in offered}
        )
    yield from (
        module.at(1, f"SYSTEM_ONLY gives no reason for {name}") for name, why in listed.items() if len(why.split()) < 3
    )


# What registers a kind of job, and how the tenant comes to it: with the first argument, which is of that type.
JOBS = {"job": ("JobRun", 1), "timer_job": ("Work", 2)}


def jobs(module: Module, *marks: str) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Each function registered as a kind of job, by one of these marks or by any, with its kind."""
    for function in module.functions():
        for mark in function.decorator_list:
            if (
                isinstance(mark, ast.Call)
                and dotted(mark.func).split(".")[-1] in (marks or JOBS)
                and isinstance(function, ast.FunctionDef)
            ):
                kind = mark.args[0].value if mark.args and isinstance(mark.args[0], ast.Constant) else "?"
                yield function, str(kind)


def homeless_jobs(module: Module) -> Iterator[str]:
    """Jobs that do not get their tenant from their row, are out of place, or take arguments by position."""
    for mark, (wanted, most) in JOBS.items():
        for function, kind in jobs(module, mark):
            given = function.args
            first = given.args[0] if len(given.args) == most else None
            if not (first and first.annotation and dotted(first.annotation).split(".")[-1] == wanted):
                yield module.at(function, f"{kind}: takes `{wanted}` first, which carries the tenant, and names")
    for function, kind in jobs(module):
        if module.room != "jobs":
            yield module.at(function, f"{kind}: stands in the room `jobs`")
        if kind.split(".")[0] != module.parts[1]:
            yield module.at(function, f"{kind}: is named after its own capability, {module.parts[1]}")


def strange_actors(module: Module) -> Iterator[str]:
    """Dramatiq actors outside the kernel's queue, or in it without a tenant: what they run, nobody has scoped."""
    in_queue = module.path.startswith("app/kernel/queue")
    for call, name in module.calls():
        if name.split(".")[-1] in {"actor", "Actor"} and name.startswith("dramatiq"):
            run = next((f for f in module.functions() if call.args and f.name == dotted(call.args[0])), None)
            taken = {arg.arg for arg in [*run.args.args, *run.args.kwonlyargs]} if run else set()
            if not in_queue or "tenant_id" not in taken:
                yield module.at(call, "an actor of its own: use @job, or take tenant_id")
    for function in module.functions():
        if any(
            dotted(mark.func if isinstance(mark, ast.Call) else mark) == "dramatiq.actor"
            for mark in function.decorator_list
        ):
            yield module.at(function, f"{function.name}: an actor of its own, use @job")


def asked_kinds(module: Module) -> Iterator[tuple[int, str]]:
    """Kinds of job that a module asks for by name: `enqueue`, `set_timer` and the table of subscriptions."""
    for call, name in module.calls():
        if name.split(".")[-1] in {"enqueue", "set_timer"} and call.args and isinstance(call.args[0], ast.Constant):
            yield call.lineno, str(call.args[0].value)
    for node in module.tree.body:
        if isinstance(node, ast.AnnAssign) and dotted(node.target) == "SUBSCRIPTIONS" and node.value:
            found = (n for n in ast.walk(node.value) if isinstance(n, ast.Constant) and isinstance(n.value, str))
            yield from ((constant.lineno, str(constant.value)) for constant in found)


class TestRoutes:
    """A route that was forgotten is found by somebody else; so every handler names its door."""

    @pytest.mark.skipif(
        importlib.util.find_spec("app.asgi") is None, reason="app/asgi.py is not there: no route table to check"
    )
    def test_say_whose_door_they_are(self):
        make = importlib.import_module("app.bootstrap.routes").make_application
        none(unguarded(make(None).routes))  # the routes need no runtime before a request comes

    def test_without_a_door_are_noticed(self):
        from litestar import Litestar, Router, get

        @get("/open", sync_to_thread=False)
        def forgotten() -> str:
            return ""

        @get("/kept", sync_to_thread=False, opt={"door": "tenant"})
        def kept() -> str:
            return ""

        app = Litestar([Router("/x", route_handlers=[forgotten, kept])], openapi_config=None)
        assert [offence.split()[0] for offence in unguarded(app.routes)] == ["/x/open"]


class TestOperations:
    """A door can be added without thinking of rights; the operation behind it cannot."""

    def test_ask_for_a_right_or_say_why_not(self):
        none(offence for module in modules("app") for offence in unasked(module))

    @pytest.mark.parametrize(
        "text",
        [
            "def admit(work): return 1",
            "SYSTEM_ONLY = {'admit': ''}\ndef admit(work): return 1",
            "SYSTEM_ONLY = {'gone': 'called by the relay only'}\ndef admit(work): require(work, P)",
            "SYSTEM_ONLY = {'admit': 'called by the relay only'}\ndef admit(work): require(work, P)",
        ],
    )
    def test_that_do_neither_are_noticed(self, text):
        assert list(unasked(planted("app/intake/operations.py", text)))

    def test_may_ask_through_a_function_of_their_module(self):
        text = "def admit(work): _locked(work)\ndef _locked(work): access.require(work, P)\n"
        assert not list(unasked(planted("app/intake/operations/admit.py", text)))


class TestJobs:
    """No default tenant and no ambient one: a job has its tenant from its row, or is on the platform's short list."""

    def test_get_their_tenant_with_the_run(self):
        none(offence for module in modules("app") for offence in homeless_jobs(module))

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("app/intake/jobs.py", "@job('intake.read')\ndef read(*, deal_id: str): ..."),
            ("app/intake/jobs.py", "@job('intake.read')\ndef read(run: JobRun, deal_id: str): ..."),
            ("app/intake/jobs.py", "@job('onboarding.read')\ndef read(run: JobRun): ..."),
            ("app/intake/jobs.py", "@timer_job('intake.read')\ndef read(run: JobRun): ..."),
            ("app/intake/jobs.py", "@timer_job('onboarding.read')\ndef read(work: Work, due: Timers): ..."),
            ("app/intake/operations.py", "@job('intake.read')\ndef read(run: JobRun): ..."),
        ],
    )
    def test_that_do_not_are_noticed(self, path, text):
        assert list(homeless_jobs(planted(path, text)))

    def test_reach_dramatiq_through_the_kernel_only(self):
        none(offence for module in modules("app") for offence in strange_actors(module))

    def test_that_are_actors_of_their_own_are_noticed(self):
        assert list(strange_actors(planted("app/intake/jobs.py", "@dramatiq.actor\ndef f(): ...")))
        assert list(strange_actors(planted("app/kernel/queue/b.py", "def f(*, job_id): ...\ndramatiq.Actor(f)")))
        assert not list(strange_actors(planted("app/kernel/queue/b.py", "def f(*, tenant_id): ...\ndramatiq.Actor(f)")))

    def test_that_are_asked_for_exist(self):
        kinds = {kind for module in modules("app") for _, kind in jobs(module)}
        asked = [(module, line, kind) for module in modules("app") for line, kind in asked_kinds(module)]
        none(
            module.at(line, f"asks for the job {kind}, which nobody does")
            for module, line, kind in asked
            if kind not in kinds
        )

    def test_asked_for_are_found(self):
        text = "work.enqueue('a.b')\nwork.set_timer('c.d', subject_id=1)\nSUBSCRIPTIONS: S = {E.type: ['e.f']}\n"
        assert [kind for _, kind in asked_kinds(planted("app/x.py", text))] == ["a.b", "c.d", "e.f"]

    def test_of_the_platform_are_a_short_list_in_one_place(self):
        made = [(m, c) for m in modules("app") for c, name in m.calls() if name.split(".")[-1] == "Schedule"]
        none(m.at(c, "schedules are listed in bootstrap") for m, c in made if m.path != "app/bootstrap/schedules.py")
        assert len(made) <= SCHEDULED_WALL
