"""`slipway templates` as its users type it: what it prints, what it answers with, and that it needs nothing else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli import main
from app.templates.schema import FOLDER
from app.templates.workbench.files import LIBRARY

RENEWAL = LIBRARY / "msp" / "renewal"
AT = "2026-03-02T09:00:00Z"


@pytest.fixture
def heeding():
    """What is started here heeds an interruption, also where a shell that ignores it has started us."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def renewal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(RENEWAL, tmp_path / "renewal")


@pytest.fixture
def key(tmp_path, capsys):
    path = tmp_path / "acme.pem"
    assert main(["templates", "keygen", "-o", str(path), "--publisher", "acme"]) == 0
    (tmp_path / "acme.pub").write_text(capsys.readouterr().out)
    return path


def templates(*arguments):
    return main(["templates", *map(str, arguments)])


def below(process):
    """The processes that a process has begun."""
    [path] = Path(f"/proc/{process}/task/{process}").glob("children")
    return path.read_text().split()


def until(condition):
    """Wait for a condition, a minute at most."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)  # another process says nothing when it has begun or ended


def broken(renewal):
    path = renewal / "template.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("when: inputs.seats > 5", "").replace("owner: csm\n", "owner: cms\n", 1), "utf-8")


class TestLint:
    def test_says_that_all_is_well(self, capsys):
        assert templates("lint", RENEWAL) == 0
        assert capsys.readouterr().out == "1 file checked with what lies beside: no problems.\n"

    def test_prints_a_line_for_each_problem_and_fails(self, renewal, capsys):
        broken(renewal)
        assert templates("lint", "renewal") == 1
        first, *_, last = capsys.readouterr().out.splitlines()
        assert first.startswith("renewal/template.yaml:")
        assert first.endswith("There is no role “cms”. Did you mean “csm”?")
        assert last == "1 file checked with what lies beside: 1 problem in 1 file."

    def test_prints_json_for_programs(self, renewal, capsys):
        broken(renewal)
        assert templates("lint", "renewal", "--format", "json") == 1
        told = json.loads(capsys.readouterr().out)
        assert told["problems"][0]["fix"] == "Did you mean “csm”?"
        assert set(told["problems"][0]) == {"file", "line", "column", "message", "fix"}

    def test_prints_annotations_for_a_forge(self, renewal, capsys):
        broken(renewal)
        assert templates("lint", "renewal", "--format", "github") == 1
        assert capsys.readouterr().out.startswith("::error file=renewal/template.yaml,line=")

    def test_keeps_lines_of_annotations_whole(self, renewal, capsys):
        odd = renewal.rename(renewal.with_name("a,b%:c"))
        broken(odd)
        assert templates("lint", odd, "--format", "github") == 1
        [line] = capsys.readouterr().out.splitlines()
        assert "file=a%2Cb%25%3Ac/template.yaml,line=" in line

    @pytest.mark.parametrize(
        ("path", "word"), [("nothing", "There is no nothing."), (".", "holds no template.yaml and no components")]
    )
    def test_says_what_it_cannot_check(self, tmp_path, monkeypatch, capsys, path, word):
        monkeypatch.chdir(tmp_path)
        assert templates("lint", path) == 1
        assert word in capsys.readouterr().err

    def test_needs_no_settings_no_database_and_no_network(self, tmp_path):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "app.cli", "templates", "lint", str(RENEWAL)]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")


class TestTest:
    def test_prints_each_test_with_its_outcome(self, capsys):
        assert templates("test", RENEWAL) == 0
        out = capsys.readouterr().out
        assert "  passed  nothing is taken away where every account is needed\n" in out
        assert out.endswith("3 tests of 1 template: 3 passed, 0 failed.\n")

    def test_fails_with_the_line_of_what_is_otherwise(self, renewal, capsys):
        path = renewal / "tests.yaml"
        path.write_text(path.read_text("utf-8").replace("follows: [renewal]", "follows: []"), "utf-8")
        assert templates("test", "renewal", "--only", "followed by") == 1
        out = capsys.readouterr().out
        assert "  FAILED  a renewal is followed by the next" in out
        assert "renewal/tests.yaml:12:16: " in out
        assert "what follows is renewal, expected nothing." in out

    def test_says_that_tests_cannot_be_played(self, renewal, capsys):
        (renewal / "tests.yaml").write_text("tests: 1\n")
        assert templates("test", "renewal") == 1
        assert "its tests cannot be played" in capsys.readouterr().out


class TestSimulate:
    def test_reports_many_histories(self, capsys):
        assert templates("simulate", RENEWAL, "--histories", 5, "--workers", 1) == 0
        out = capsys.readouterr().out
        assert "0 dead ends" in out
        assert "never done: nothing" in out

    def test_gives_the_same_report_with_any_number_of_workers(self, capsys):
        reports = []
        for workers in (1, 2):
            assert templates("simulate", RENEWAL, "--histories", 120, "--workers", workers, "--json") == 0
            reports.append(json.loads(capsys.readouterr().out))
        assert reports[0] == reports[1]

    @pytest.mark.parametrize("group", [True, False])
    @pytest.mark.usefixtures("heeding")
    def test_leaves_no_process_behind_when_it_is_interrupted(self, group):
        command = [sys.executable, "-m", "app.cli", "templates", "simulate", str(RENEWAL)]
        command += ["--histories", "1000000", "--workers", "2"]
        began = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
        until(lambda: len(below(began.pid)) >= 3)  # two that walk, and one that watches what they leave
        walkers = below(began.pid)
        (os.killpg if group else os.kill)(began.pid, signal.SIGINT)
        assert "Traceback" not in began.communicate(timeout=60)[1]
        assert began.returncode == 130
        until(lambda: not [each for each in walkers if Path(f"/proc/{each}").exists()])

    def test_walks_one_edge_again(self, capsys):
        assert templates("simulate", RENEWAL, "--edge", "everybody late") == 0
        assert "1 histories (1 along edges)" in capsys.readouterr().out
        assert templates("simulate", RENEWAL, "--edge", "nobody") == 1
        assert "There is no edge “nobody”" in capsys.readouterr().err

    @pytest.mark.parametrize("number", ["0", "-1", "x", "1000001"])
    def test_refuses_a_number_of_histories_that_is_none(self, number):
        with pytest.raises(SystemExit):
            templates("simulate", RENEWAL, "--histories", number)


class TestGraph:
    @pytest.mark.parametrize(("kind", "word"), [("tree", "└─"), ("mermaid", "flowchart TD"), ("dot", "digraph")])
    def test_draws(self, capsys, kind, word):
        assert templates("graph", RENEWAL, "--format", kind) == 0
        assert word in capsys.readouterr().out


class TestPack:
    def test_writes_what_verify_accepts(self, tmp_path, key, capsys):
        file = tmp_path / "renewal.slipway"
        assert templates("pack", RENEWAL, "-o", file, "--key", key, "--publisher", "acme", "--at", AT) == 0
        capsys.readouterr()
        assert templates("verify", file, "--key", tmp_path / "acme.pub") == 0
        out = capsys.readouterr().out
        assert f"Verified: msp-renewal 1.0.0 by acme, packed {AT}." in out
        assert "compare its fingerprint" not in out
        assert templates("verify", file) == 0
        assert "compare its fingerprint" in capsys.readouterr().out

    def test_says_what_is_altered(self, tmp_path, key, capsys):
        file = tmp_path / "renewal.slipway"
        assert templates("pack", RENEWAL, "-o", file, "--key", key, "--publisher", "acme", "--at", AT) == 0
        file.write_bytes(file.read_bytes().replace(b"Look back", b"Look bach", 1))
        assert templates("verify", file) == 1
        assert "slipway: Not as it was packed: template." in capsys.readouterr().err

    def test_packs_no_template_with_a_problem(self, tmp_path, renewal, key, capsys):
        broken(renewal)
        file = tmp_path / "x"
        assert templates("pack", "renewal", "-o", file, "--key", key, "--publisher", "acme", "--at", AT) == 1
        assert "There is no role “cms”" in capsys.readouterr().err
        assert not file.exists()

    def test_leaves_the_tests_of_overlays_with_them(self, tmp_path, key):
        file = tmp_path / "x"
        services = LIBRARY / "msp" / "managed-services"
        assert templates("pack", services, "-o", file, "--key", key, "--publisher", "acme", "--at", AT) == 0
        [tests] = json.loads(file.read_bytes())["tests"]
        assert len(tests["tests"]) == 7
        assert not any("overlay" in each.get("given", {}) for each in tests["tests"])

    def test_writes_over_nothing(self, tmp_path, key, capsys):
        file = tmp_path / "x"
        file.write_text("mine")
        assert templates("pack", RENEWAL, "-o", file, "--key", key, "--publisher", "acme", "--at", AT) == 1
        assert "cannot be written" in capsys.readouterr().err
        assert file.read_text() == "mine"

    @pytest.mark.parametrize(
        "raw", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\x00\xff"]
    )
    def test_refuses_a_file_that_holds_no_key(self, tmp_path, capsys, raw):
        bad = tmp_path / "bad.pem"
        bad.write_bytes(raw)
        assert templates("pack", RENEWAL, "-o", tmp_path / "x", "--key", bad, "--publisher", "acme") == 1
        assert "holds no Ed25519 private key" in capsys.readouterr().err


class TestKeygen:
    def test_writes_a_key_that_only_its_owner_reads(self, key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")

    def test_writes_over_no_other_key(self, key, capsys):
        before = key.read_bytes()
        assert templates("keygen", "-o", key, "--publisher", "acme") == 1
        assert "cannot be written" in capsys.readouterr().err
        assert key.read_bytes() == before


class TestVerify:
    @pytest.mark.parametrize("given", ["nothing", "acme+00000000+AAAA"])
    def test_refuses_a_key_that_is_none(self, tmp_path, capsys, given):
        (tmp_path / "x").write_bytes(b"{}")
        assert templates("verify", tmp_path / "x", "--key", given) == 1
        assert capsys.readouterr().err.startswith("slipway: ")

    def test_refuses_what_is_no_package(self, tmp_path, capsys):
        (tmp_path / "x").write_bytes(os.urandom(1_000))
        assert templates("verify", tmp_path / "x") == 1
        assert "This is no package" in capsys.readouterr().err


class TestSchema:
    @pytest.mark.parametrize("name", ["template", "overlay", "component", "tests", "sample", "package"])
    def test_prints_what_is_published(self, capsys, name):
        assert templates("schema", name) == 0
        out = capsys.readouterr().out
        assert out == (FOLDER / f"{name}.schema.json").read_text("utf-8")
        assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
