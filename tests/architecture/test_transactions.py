"""One way to a session, one way to a commit, one clock; and text that never becomes SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, modules, none, planted

SESSION_MAKERS = {"Session", "sessionmaker", "scoped_session", "create_engine", "create_async_engine", "AsyncSession"}
ASKING_THE_CLOCK = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime)|func\.(now|current_timestamp))$"
)
SQL_CLOCK = re.compile(
    r"\b(now\s*\(\s*\)|(clock|statement|transaction)_timestamp\s*\(|current_timestamp\b)", re.IGNORECASE
)
SQL_COMMIT = re.compile(r"^\s*(commit|rollback|savepoint|begin|set\s+(local\s+)?role)\b", re.IGNORECASE)


def inside(module: Module, *folders: str) -> bool:
    """Whether the module is in one of the folders."""
    return any(module.path.startswith(f"{folder}/") for folder in folders)


def commits(module: Module) -> Iterator[str]:
    """A commit, a rollback or a change of scope outside the kernel and the ground floor, as a call or as text."""
    if inside(module, "app/kernel", "tenants", "tests", "migrations"):
        return
    for call, name in module.calls():
        if name.endswith((".commit", ".rollback", ".begin_nested")):
            yield module.at(call, f"{name}(): only Work commits; raise to roll back")
    if not inside(module, "app/demo"):
        for node, text in module.strings():
            if SQL_COMMIT.match(text) and text.split()[0].isupper():
                yield module.at(node, f"{text.split()[0]} as text: only Work speaks to the transaction")


def sessions(module: Module) -> Iterator[str]:
    """A session, an engine or a connection made outside the ground floor."""
    if inside(module, "tenants", "tests", "migrations"):
        return
    for call, name in module.calls():
        last = name.split(".")[-1]
        if last in SESSION_MAKERS:
            yield module.at(call, f"{name}(): only tenants makes sessions, so none is without a scope")
        if last == "connect" and name.startswith(("psycopg", "Connection")) and not inside(module, "app/demo"):
            yield module.at(call, f"{name}(): a connection of its own has no scope")


def clocks(module: Module) -> Iterator[str]:
    """The machine's or the database's clock asked outside the kernel, called or only named as a default."""
    if inside(module, "app/kernel", "app/demo", "tests", "migrations"):
        return
    for node, name in module.names():
        if ASKING_THE_CLOCK.search(name):
            yield module.at(node, f"{name}: take `now` as a parameter; business time is work.now")
    for call, _name in module.calls():
        for word in call.keywords:
            if word.arg in {"server_default", "server_onupdate"}:
                yield module.at(call, f"{word.arg}: the application makes every value (DESIGN 4)")


def sql_clocks(module: Module) -> Iterator[str]:
    """`now()` in the SQL of a room that runs in business time."""
    if not inside(module, "app") or module.room not in {"operations", "queries", "models", "jobs"}:
        return
    for node, text in module.strings():
        if SQL_CLOCK.search(text):
            yield module.at(node, "now() in SQL: the database's clock is not business time; bind work.now")


def second_colour(module: Module) -> Iterator[str]:
    """Asynchronous code in a room whose code runs in threads, and asynchronous sessions anywhere."""
    for line, name in module.imports():
        if name.startswith("sqlalchemy.ext.asyncio"):
            yield module.at(line, f"{name}: the core is synchronous (decision 1)")
    if module.room in {"rules", "events", "models", "lookups", "queries", "operations", "jobs"}:
        for function in module.functions():
            if isinstance(function, ast.AsyncFunctionDef):
                yield module.at(function, f"async {function.name}: only doors that stream are async (decision 1)")


class TestCommits:
    """One request or job is one transaction; a peer calls commit() 292 times and cannot say what is saved together."""

    def test_happen_in_the_kernel_and_in_tenants_only(self):
        none(offence for module in modules("app", "tenants") for offence in commits(module))

    @pytest.mark.parametrize(
        "line", ["work.session.commit()", "session.rollback()", "execute('COMMIT')", "text('SET ROLE x')"]
    )
    def test_notices(self, line):
        assert list(commits(planted("app/intake/operations.py", line)))

    def test_leaves_the_kernel_and_prose_alone(self):
        assert not list(commits(planted("app/kernel/work.py", "session.commit()")))
        assert not list(commits(planted("app/intake/rules.py", "said = 'Begin with the deal.'")))


class TestSessions:
    """A session without a scope reads whatever its login may; only `tenants.sessions` makes one."""

    def test_are_made_by_tenants_only(self):
        none(offence for module in modules("app", "tenants") for offence in sessions(module))

    @pytest.mark.parametrize(
        "line", ["Session(engine)", "orm.sessionmaker(e)", "sa.create_engine(u)", "psycopg.connect(u)"]
    )
    def test_notices(self, line):
        assert list(sessions(planted("app/intake/operations.py", line)))


class TestClocks:
    """Tests and the demo move business time by one row; whatever asks another clock fires early, late or never."""

    def test_are_asked_in_the_kernel_only(self):
        none(offence for module in modules("app", "tenants") for offence in clocks(module))

    @pytest.mark.parametrize(
        "line",
        [
            "datetime.now(UTC)",
            "dt.datetime.utcnow()",
            "time.time()",
            "made: datetime = field(default_factory=datetime.now)",
            "mapped_column(server_default=text('0'))",
            "update(T).values(at=func.now())",
        ],
    )
    def test_notices(self, line):
        assert list(clocks(planted("app/intake/operations.py", line)))

    def test_leaves_monotonic_time_alone(self):
        assert not list(clocks(planted("app/connectors/kit/runner.py", "started = time.monotonic()")))

    def test_of_the_database_stay_out_of_operations(self):
        none(offence for module in modules("app") for offence in sql_clocks(module))

    def test_notices_now_in_the_sql_of_an_operation(self):
        assert list(sql_clocks(planted("app/intake/operations.py", "text('UPDATE deal SET at = now()')")))
        assert list(sql_clocks(planted("app/intake/queries/late.py", "f'SELECT {x} WHERE due < CURRENT_TIMESTAMP'")))
        assert not list(sql_clocks(planted("app/intake/operations.py", "# now() would be wrong here")))


class TestColour:
    """A codebase of two colours carries every test, session and transaction twice; async was not faster here."""

    def test_is_one(self):
        none(offence for module in modules("app", "tenants") for offence in second_colour(module))

    def test_that_is_second_is_noticed(self):
        assert list(second_colour(planted("tenants/x.py", "from sqlalchemy.ext.asyncio import AsyncSession")))
        assert list(second_colour(planted("app/intake/operations.py", "async def admit(work): ...")))
        assert not list(second_colour(planted("app/web/live.py", "async def stream(): ...")))
