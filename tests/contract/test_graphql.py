"""A connector that speaks GraphQL: what is sent, what an answer of success may hide, where a connection goes on."""

import shutil
from pathlib import Path
from typing import Any

import graphql
import pytest
from ruamel.yaml import YAML

from app.cli import main
from app.connectors.catalog.stand_in import Answer
from app.connectors.kit.contract import CallReport, read_connector
from app.connectors.kit.graphql.answers import DEEPEST
from app.connectors.kit.graphql.costs import pause_for
from app.connectors.kit.limits.wishes import wished_pause
from app.connectors.trials.bench import Bench, bench_of
from app.connectors.trials.proving import prove
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain

LINEAR = Path(__file__).parent / "elsewhere" / "linear"
COST = {
    "requestedQueryCost": 50,
    "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 10, "restoreRate": 4},
}


@pytest.fixture(scope="module")
def bench():
    with bench_of(read_connector(LINEAR)) as bench:
        yield bench


def answered(bench: Bench, action: str, document: Any, *, status: int = 200, **changes: Any) -> CallReport:
    """The report where the first answer is this; what follows is answered as always."""
    wire, answers = bench.stand_in.wire, [Answer(status, document)]
    bench.calm()
    bench.stand_in.wire = lambda call: answers.pop() if answers else wire(call)
    try:
        return bench.call(action, **changes)
    finally:
        bench.stand_in.wire = wire


def error(code: str = "INTERNAL_SERVER_ERROR") -> list[dict[str, Any]]:
    return [{"message": "no", "extensions": {"code": code}}]


class TestAConnectorThatSpeaksGraphQL:
    def test_keeps_every_promise(self, capsys):
        assert main(["connectors", "lint", str(LINEAR)]) == 0, capsys.readouterr().out
        assert [proof for proof in prove(read_connector(LINEAR)) if proof.said] == []

    def test_has_documents_that_parse(self):
        for folder in [LINEAR, *LINEAR.parents[3].glob("app/connectors/catalog/*")]:
            for document in folder.glob("*.graphql"):
                graphql.parse(document.read_text(encoding="utf-8"))

    def test_sends_one_operation_with_its_variables_and_never_asks_for_the_schema(self, bench: Bench):
        seen: list[Any] = []
        wire = bench.stand_in.wire
        bench.stand_in.wire = lambda call: seen.append(call) or wire(call)  # type: ignore[func-returns-value]  # append
        try:
            bench.call("create_issue", input={"id": "0d9a4f6e-92a2-4c0b-8f4e-0000000000aa", "title": '"} __schema {'})
        finally:
            bench.stand_in.wire = wire
        [call] = seen
        assert (call.body["operationName"], set(call.body)) == ("CreateIssue", {"query", "operationName", "variables"})
        assert call.body["variables"]["input"]["title"] == '"} __schema {'  # a value, never a part of the document
        assert "description" not in call.body["variables"]["input"]
        assert "__schema" not in call.body["query"]
        assert call.headers["accept"].startswith("application/graphql-response+json")

    def test_reads_every_page_of_a_connection(self):
        with bench_of(read_connector(LINEAR)) as fresh:
            outcome = fresh.call("list_issues").outcome
            assert isinstance(outcome, Done)
            result: Any = outcome.result
            assert (len(result["issues"]), result["complete"]) == (5, True)
            assert len(fresh.stand_in.requests) == 3

    @pytest.mark.parametrize("page", [{"hasNextPage": True, "endCursor": None}, {"hasNextPage": True, "endCursor": 7}])
    def test_is_not_led_on_without_a_cursor(self, bench: Bench, page: dict[str, Any]):
        report = answered(bench, "list_issues", {"data": {"issues": {"nodes": [], "pageInfo": page}}})
        assert (report.code, type(report.outcome)) == ("pages_endless", NeedsPerson)


class TestAnAnswerOfSuccess:
    def test_without_data_was_refused_before_it_began(self, bench: Bench):
        report = answered(bench, "create_issue", {"errors": error()})
        assert (type(report.outcome), report.certain) == (GiveUp, True)

    @pytest.mark.parametrize("data", [None, {"issueCreate": None}, {"issueCreate": {"success": True, "issue": None}}])
    def test_with_errors_may_have_had_its_effect_and_is_looked_up(self, bench: Bench, data: Any):
        document = {"data": data, "errors": error()}
        report = answered(
            bench, "create_issue", document, input={"id": "0d9a4f6e-92a2-4c0b-8f4e-000000000001", "title": "x"}
        )
        assert (report.code, len(bench.stand_in.requests)) == ("found_by_lookup", 2)

    def test_in_part_is_not_taken_for_the_whole(self, bench: Bench):
        part = {"data": {"issues": {"nodes": [], "pageInfo": {"hasNextPage": False}}}, "errors": error()}
        assert isinstance(answered(bench, "list_issues", part).outcome, TryAgain)

    @pytest.mark.parametrize(
        ("code", "status", "outcome"),
        [("RATELIMITED", 400, TryAgain), ("RATELIMITED", 200, TryAgain), ("AUTHENTICATION_ERROR", 400, TryAgain),
         ("FORBIDDEN", 200, NeedsPerson), ("INPUT_ERROR", 200, GiveUp)],
    )  # fmt: skip
    def test_goes_by_the_code_of_its_error(self, bench: Bench, code: str, status: int, outcome: type):
        report = answered(bench, "find_issue", {"data": None, "errors": error(code)}, status=status)
        assert (type(report.outcome), report.certain) == (outcome, True)

    @pytest.mark.parametrize(
        "document", [[], {}, {"data": []}, {"data": 1, "errors": None}, {"errors": [None, 3, "x"]}]
    )
    def test_that_is_no_graphql_is_never_done(self, bench: Bench, document: Any):
        assert not isinstance(answered(bench, "check_access", document).outcome, Done)

    def test_that_is_too_deep_is_not_read(self, bench: Bench):
        deep: Any = {}
        for _level in range(DEEPEST + 1):
            deep = {"a": [deep]}
        report = answered(bench, "check_access", {"data": {"viewer": {"id": "u1", "name": "x", "more": deep}}})
        assert report.code == "unreadable"


class TestTheCost:
    @pytest.mark.parametrize(
        ("told", "seconds"),
        [(COST, 10.0), (COST | {"requestedQueryCost": 10}, 0.0),
         (COST | {"throttleStatus": {"currentlyAvailable": 0}}, 0.0),
         (COST | {"requestedQueryCost": 1e11}, 3600.0), ({}, 0.0), (None, 0.0), ("x", 0.0),
         (COST | {"throttleStatus": {"currentlyAvailable": True, "restoreRate": -1}}, 0.0)],
    )  # fmt: skip
    def test_is_waited_for_until_it_is_paid(self, told: Any, seconds: float):
        assert pause_for(told) == seconds

    def test_puts_off_the_next_request_of_the_connection(self, tmp_path: Path):
        folder = written(tmp_path, lambda action: action["graphql"].update(cost="/extensions/cost"))
        with bench_of(read_connector(folder)) as bench:
            viewer = {"data": {"viewer": {"id": "u1", "name": "acme"}}, "extensions": {"cost": COST}}
            assert isinstance(answered(bench, "check_access", viewer, connection="shop").outcome, Done)
            assert bench.call("check_access", connection="shop").code == "put_off_held"

    def test_is_counted_by_linears_headers_too(self):
        headers = {"x-ratelimit-complexity-remaining": "0", "x-ratelimit-complexity-reset": "1792567740000"}
        headers |= {"x-ratelimit-requests-remaining": "12", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
        assert wished_pause(200, headers) == 60.0


def written(place: Path, change: Any, action: str = "check_access") -> Path:
    """The connector's folder with another manifest."""
    folder = place / "linear"
    shutil.copytree(LINEAR, folder)
    manifest = YAML(typ="safe", pure=True).load(folder / "manifest.yaml")
    change(manifest["actions"][action])
    with (folder / "manifest.yaml").open("w", encoding="utf-8") as out:
        YAML(typ="safe", pure=True).dump(manifest, out)
    return folder


class TestLint:
    @pytest.mark.parametrize(
        ("action", "change", "said"),
        [
            ("check_access", {"operation": "Nobody"}, "has no query called Nobody"),
            ("check_access", {"operation": "CreateIssue"}, "has no query called CreateIssue"),
            ("check_access", {"document": "gone.graphql"}, "cannot be read"),
            ("check_access", {"document": "../issues.graphql"}, "does not match"),
            ("find_issue", {"variables": {"id": "{nothing}"}}, "the request names {nothing}"),
        ],
    )
    def test_says_what_is_wrong(self, action: str, change: dict[str, Any], said: str, capsys, tmp_path: Path):
        folder = written(tmp_path, lambda told: told["graphql"].update(change), action)
        assert main(["connectors", "lint", str(folder)]) == 1
        assert said in capsys.readouterr().out

    def test_refuses_introspection(self, capsys, tmp_path: Path):
        folder = written(tmp_path, lambda _told: None)
        document = folder / "issues.graphql"
        document.write_text(document.read_text().replace("viewer { id name }", "__schema { types { name } }"))
        assert main(["connectors", "lint", str(folder)]) == 1
        assert "introspection is never sent" in capsys.readouterr().out
