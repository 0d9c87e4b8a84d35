"""docs/connectors.md is enough: its example works as it stands, a connector written by it keeps every promise."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.connectors.kit.contract import read_connector
from app.connectors.kit.registry import CATALOG, Registry
from app.connectors.trials.bench import bench_of
from app.connectors.trials.proving import prove
from app.kernel.outcomes import Done

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"
ELSEWHERE = Path(__file__).parent / "elsewhere"
GITLAB = ELSEWHERE / "gitlab"
OUTSIDERS = sorted(path.parent for path in ELSEWHERE.glob("*/manifest.yaml"))


@pytest.fixture
def beacon(tmp_path):
    """The folder of the page, with what the page says stands in each file."""
    folder = tmp_path / "beacon"
    (folder / "fixtures").mkdir(parents=True)
    blocks = dict(re.findall(r"```(yaml|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2])
    (folder / "manifest.yaml").write_text(blocks["yaml"], encoding="utf-8")
    (folder / "stand_in.py").write_text(blocks["python"], encoding="utf-8")
    (folder / "__init__.py").write_text('"""Beacon."""\n')
    (folder / "README.md").write_text("# Beacon\n\n```mermaid\nflowchart LR\n```\n")
    found, made = {"id": "t1", "reference": "acme-1"}, {"reference": "acme-2", "subject": "Hello"}
    fixtures = {
        "connection": {"settings": {"site": "acme"}},
        "check_access": {"input": {}, "output": {"id": "acme"}},
        "find_ticket": {"input": {"reference": "acme-1"}, "output": found},
        "create_ticket": {"input": made, "output": {"id": "t2", "reference": "acme-2"}},
    }
    for name, told in fixtures.items():
        (folder / "fixtures" / f"{name}.json").write_text(json.dumps(told))
    return folder


def broken(folder):
    return [proof for proof in prove(read_connector(folder)) if proof.said]


class TestThePage:
    def test_shows_a_connector_that_keeps_every_promise(self, beacon, capsys):
        assert main(["connectors", "lint", str(beacon)]) == 0, capsys.readouterr().out
        assert broken(beacon) == []


class TestAConnectorWrittenByIt:
    @pytest.mark.parametrize("folder", OUTSIDERS, ids=lambda folder: folder.name)
    def test_keeps_every_promise(self, folder, capsys):
        assert main(["connectors", "lint", str(folder)]) == 0, capsys.readouterr().out
        assert broken(folder) == []

    def test_reads_every_page_of_a_list(self):
        with bench_of(read_connector(GITLAB)) as bench:
            outcome = bench.call("list_issues").outcome
            assert isinstance(outcome, Done)
            result: Any = outcome.result
            assert ([each["iid"] for each in result["issues"]], result["complete"]) == ([1, 2, 3, 4, 5], True)
            assert len(bench.stand_in.requests) == 3

    def test_is_there_with_its_folder_and_gone_with_it(self, tmp_path):
        for folder in [*CATALOG.glob("*/manifest.yaml"), GITLAB / "manifest.yaml"]:
            shutil.copytree(folder.parent, tmp_path / folder.parent.name)
        before = Registry.load().manifests()
        assert Registry.load(tmp_path).manifests().keys() == {*before, "gitlab"}
        shutil.rmtree(tmp_path / "gitlab")
        assert Registry.load(tmp_path).manifests() == before


class TestTheTools:
    def test_say_every_fault_with_its_place(self, beacon, capsys):
        manifest = beacon / "manifest.yaml"
        text = manifest.read_text().replace("on_unknown: lookup", "on_unknown: resend").replace("beacon.example", "x.y")
        manifest.write_text(text.replace('hosts: ["{config.site}.x.y"]', "hosts: [other.example]"))
        (beacon / "fixtures" / "create_ticket.json").unlink()
        (beacon / "README.md").unlink()
        assert main(["connectors", "lint", str(beacon)]) == 1
        said = capsys.readouterr().out
        for place in ("README.md", "/address", "/actions/create_ticket", "3 wrong"):
            assert place in said

    def test_name_each_exchange_that_is_missing_or_does_not_fit(self, beacon, capsys):
        fixtures = beacon / "fixtures"
        (fixtures / "connection.json").unlink()
        (fixtures / "check_access.json").unlink()
        (fixtures / "find_ticket.json").write_text('{"input": {"reference": "acme-1"}, "output": {"id": 1}}')
        (fixtures / "create_ticket.json").write_text("[]")
        assert main(["connectors", "lint", str(beacon)]) == 1
        said = capsys.readouterr().out.splitlines()
        assert [line.partition(" ")[0].rpartition("/")[2] for line in said[:-1]] == [
            "check_access.json:", "connection.json:", "create_ticket.json:", "find_ticket.json:"
        ]  # fmt: skip
        assert said[-1] == "1 checked: 4 wrong."
        assert "slipway connectors record" in said[0]
        assert "is missing" in said[1]
        assert "find_ticket.json: /output" in said[3]

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('query: {reference: "{reference}"}', 'query: {q: "ref:{reference}"}', "would be sent as it stands"),
            ("output: &ticket", "paging: {kind: link, items: nothing}\n    output: &ticket", "no list nothing"),
            (
                "idempotency: natural_key",
                'derive: {xx: "length(refrence)"}\n    idempotency: natural_key',
                "names refrence",
            ),
        ],
    )
    def test_lint_says_what_would_go_wrong_in_silence(self, beacon, capsys, old, new, said):
        manifest = beacon / "manifest.yaml"
        assert old in manifest.read_text()
        manifest.write_text(manifest.read_text().replace(old, new))
        assert main(["connectors", "lint", str(beacon)]) == 1
        assert said in capsys.readouterr().out

    @pytest.mark.parametrize("text", ["def (", "import nothing_of_the_kind", "def start(port, tokens):\n    1 / 0\n"])
    def test_a_broken_stand_in_is_a_sentence(self, beacon, capsys, text):
        (beacon / "stand_in.py").write_text(text)
        assert main(["connectors", "test", str(beacon)]) == 1
        assert "stand_in.py: " in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["test", "no_such"], "no connector of that name"),
            (["lint", "no_such"], "no such folder"),
            (["record", "BEACON", "nothing"], "it has check_access, find_ticket, create_ticket"),
            (["record", "BEACON", "find_ticket", "--input", "{"], "--input: no JSON"),
            (["record", "BEACON", "find_ticket", "--input", "[]"], "is a JSON object"),
        ],
    )
    def test_say_what_was_asked_wrongly(self, beacon, capsys, arguments, said):
        assert main(["connectors", *(str(beacon) if each == "BEACON" else each for each in arguments)]) == 1
        told = capsys.readouterr()
        assert said in told.out + told.err

    def test_test_holds_a_connector_to_its_own_size_of_an_answer(self, beacon):
        manifest = beacon / "manifest.yaml"
        manifest.write_text(manifest.read_text() + "\nlimits: {max_response_bytes: 4194304}\n")
        text = manifest.read_text().replace("result: /tickets/0               # nothing there: not found", "result: /0")
        manifest.write_text(text.replace("required: [id, reference]\n", "required: []\n"))
        (beacon / "fixtures" / "find_ticket.json").write_text('{"input": {"reference": "acme-1"}, "output": {}}')
        assert not [proof for proof in broken(beacon) if proof.check == "broken_answers"]

    def test_test_fails_for_a_promise_that_is_not_kept(self, beacon, capsys):
        stand_in = beacon / "stand_in.py"
        stand_in.write_text(stand_in.read_text().replace("any(", "False and any(").replace("== wanted", "== 0"))
        assert main(["connectors", "test", str(beacon)]) == 1
        said = capsys.readouterr().out
        assert "not kept create_ticket: lost_answers" in said
        assert "promised: An answer that is lost after the effect" in said

    def test_record_writes_what_happened_without_a_secret(self, beacon, capsys):
        for path in (beacon / "fixtures").glob("[!c]*.json"):
            path.unlink()
        known = ["--input", '{"reference": "acme-1"}']
        assert main(["connectors", "record", str(beacon), "find_ticket", *known]) == 0
        assert main(["connectors", "record", str(beacon), "find_ticket"]) == 0  # again, with the input that is there
        written = json.loads((beacon / "fixtures" / "find_ticket.json").read_text())
        assert written["output"] == {"id": "t1", "reference": "acme-1", "subject": "Welcome"}
        assert main(["connectors", "record", str(beacon), "find_ticket", "--input", '{"reference": "none"}']) == 1

    @pytest.mark.parametrize(
        ("old", "new", "bump"),
        [
            ("title: Beacon", "title: Beacon 2", "patch"),
            ("subject: {type: string}}", "subject: {type: string}, extra: {type: string}}", "minor"),
            ("idempotency: natural_key:find_ticket\n    on_unknown: lookup", "idempotency: none\n    on_unknown: queue",
             "major"),
            ("find_ticket", "find_it", "major"),
        ],
    )  # fmt: skip
    def test_diff_says_what_the_next_version_must_be(self, beacon, tmp_path, capsys, old, new, bump):
        text = (beacon / "manifest.yaml").read_text()
        assert old in text
        changed = tmp_path / "changed.yaml"
        changed.write_text(text.replace(old, new))
        assert main(["connectors", "diff", str(beacon), str(changed)]) == 1
        assert f"needed: {bump}" in capsys.readouterr().out
        if bump in {"patch", "minor"}:
            raised = {"patch": "1.0.1", "minor": "1.1.0"}[bump]
            changed.write_text(changed.read_text().replace("version: 1.0.0", f"version: {raised}"))
            assert main(["connectors", "diff", str(beacon), str(changed)]) == 0
