"""`slipway fleet …` as an operator types it: what it says, and the exit code that a script goes by."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.bootstrap.commands.fleet import run_fleet
from app.bootstrap.fleet_progress import Watcher
from app.cli import main
from tenants.fleet.apply import Progress
from tenants.fleet.workers import Tally
from tenants.schema.head import tenant_revision
from tests.factories.fleet import SLOW, Revisions, make_fleet, make_tenants
from tests.factories.installation import Installation

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(harbour: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    revisions = Revisions(tmp_path / "versions").short()

    def command(*arguments: str) -> tuple[int, str]:
        code = run_fleet(arguments, lambda: make_fleet(harbour, revisions))
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


class TestTheCommands:
    def test_lead_through_an_upgrade(self, harbour: Installation, run: Run):
        tenants = make_tenants(harbour, 4)
        code, said = run("status")
        assert code == 2
        assert said.splitlines() == [
            f"     4 workspaces at {tenant_revision()}",
            "4 workspaces are below revision t_expand, and there is no plan. First: slipway fleet plan",
        ]
        assert run("verify")[0] == 2
        code, said = run("plan", "--soak", "0", "--canary", str(tenants[2].id))
        assert code == 0
        assert "ring canary        1 workspaces" in said
        code, said = run("apply")
        assert (code, said.splitlines()[-1]) == (0, "Every workspace is at revision t_expand.")
        for again in ("plan", "apply", "resume"):
            code, said = run(again)
            assert (code, said) == (0, "Every workspace is at revision t_expand. Nothing to do.\n")
        assert run("verify") == (
            0,
            "4 workspaces looked at; 4 at revision t_expand, compared with a new one; 0 drifted.\n",
        )

    def test_name_who_was_set_apart_and_go_on_once_it_is_mended(self, harbour: Installation, run: Run):
        tenants = make_tenants(harbour, 3)
        harbour.rows(tenants[2], "ALTER TABLE {}.command ADD COLUMN note text")
        run("plan", "--soak", "0")
        code, said = run("apply")
        assert code == 2
        assert "resume --quarantined" in said
        code, said = run("status")
        assert code == 2
        assert f"quarantined: {tenants[2].schema} in main, tenant {tenants[2].id}" in said
        assert 'column "note" of relation "command" already exists (42701)' in said
        assert run("apply")[0] == 1
        assert run("resume")[0] == 2
        harbour.rows(tenants[2], "ALTER TABLE {}.command DROP COLUMN note")
        assert run("resume", "--quarantined")[0] == 0

    def test_name_what_has_drifted(self, harbour: Installation, run: Run):
        tenants = make_tenants(harbour, 4)
        run("plan", "--one-ring")
        run("apply")
        harbour.rows(tenants[0], "DROP INDEX {}.ix_command_note")
        harbour.rows(tenants[1], "ALTER TABLE {}.command ADD COLUMN extra int DEFAULT 1")
        harbour.rows(tenants[2], f'GRANT DELETE ON {{}}.trail TO "{tenants[2].role}"'.replace("{{}}", "{}"))
        code, said = run("verify")
        assert code == 2
        assert "missing: index CREATE INDEX ix_command_note" in said
        assert "not ours: column command extra integer 1" in said
        assert "not ours: relation trail" in said
        assert tenants[3].schema not in said

    def test_refuse_in_one_sentence(self, harbour: Installation, run: Run):
        make_tenants(harbour, 1)
        code, said = run("plan", "--to", "t_unknown")
        assert code == 1
        assert said.startswith("slipway fleet: This build knows no tenant revision 't_unknown'.")

    def test_show_each_revision_and_its_sql(self, run: Run):
        code, said = run("compile", "--sql")
        assert code == 0
        assert "CREATE INDEX ix_command_note ON command (note);" in said


class TestCtrlC:
    def test_ends_after_what_is_begun_and_resume_goes_on(
        self, harbour: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        revisions = Revisions(tmp_path / "versions").add("t_slow", SLOW.replace("0.05", "0.2"))
        fleet = make_fleet(harbour, revisions)
        make_tenants(harbour, 4)
        run_fleet(["plan", "--one-ring"], lambda: fleet)
        left = "SELECT 1 FROM cell.slot WHERE state = 'claimed' AND revision = %s"

        def interrupt() -> None:
            while len(harbour.cell(left, tenant_revision())) == 4:
                time.sleep(0.01)  # nothing tells a second connection of a commit
            os.kill(os.getpid(), signal.SIGINT)

        with ThreadPoolExecutor(1) as thread:
            pressed = thread.submit(interrupt)
            code = run_fleet(["apply", "--workers", "1"], lambda: fleet)
            pressed.result()
        assert code == 2
        assert "Stopped; what was begun is done. To go on: slipway fleet resume" in capsys.readouterr().out
        assert 0 < len(harbour.cell(left, tenant_revision())) < 4
        assert run_fleet(["resume"], lambda: fleet) == 0
        assert not harbour.cell(left, tenant_revision())


class TestTheProgram:
    def test_has_nothing_to_do_at_an_installation_of_today(
        self,
        harbour: Installation,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ):
        make_tenants(harbour, 1)
        monkeypatch.setattr("app.bootstrap.wiring.configure_logging", lambda _format: None)
        monkeypatch.setenv("SLIPWAY_CONTROL_URL", harbour.urls.control_url)
        monkeypatch.setenv("SLIPWAY_CELL_URL", harbour.urls.cell_url)
        monkeypatch.setenv("SLIPWAY_REDIS_URL", "redis://localhost:1")
        monkeypatch.setenv("SLIPWAY_KEYRING", str(tmp_path / "keys"))
        assert main(["fleet", "verify"]) == 0
        assert "1 workspaces looked at; 1 at revision" in capsys.readouterr().out


class TestProgress:
    def test_is_a_bar_with_rate_and_time_left_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        out, tally = Terminal(), Tally(total=10, done=2)
        clock = iter([0.0, 0.0, 2.0])
        monkeypatch.setattr("app.bootstrap.fleet_progress.time.monotonic", lambda: next(clock))
        watcher = Watcher(out)
        watcher.tell(Progress("rest", tally))
        tally.done, tally.quarantined = 6, 1
        watcher.tell(Progress("rest", tally))
        watcher.end()
        last = out.getvalue().split("\r\x1b[K")[-1]
        assert last == "[#####################.........] 7/10  ring rest  2.0/s, 2 s left  1 quarantined\n"

    def test_is_a_plain_line_now_and_then_elsewhere(self):
        out, tally = io.StringIO(), Tally(total=10)
        watcher = Watcher(out)
        for done in range(10):
            tally.done = done
            watcher.tell(Progress("rest", tally))
        watcher.end()
        lines = out.getvalue().splitlines()
        assert "\x1b" not in out.getvalue()
        assert [line.split()[1] for line in lines] == ["0/10", "9/10"]
