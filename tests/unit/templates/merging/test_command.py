"""`slipway templates diff` and `merge`, as they are typed."""

from __future__ import annotations

import argparse

import pytest

from app.bootstrap.commands.templates.merging import FileUnreadable, add_parsers
from app.templates.library import LIBRARY
from app.templates.rules import TemplateRefused

FOLDER = LIBRARY / "msp" / "managed-services"


@pytest.fixture
def files(tmp_path):
    """The library's template, a next version of it, and Northwind's overlay."""
    old = (FOLDER / "template.yaml").read_text("utf-8")
    new = old.replace("version: 1.0.0", "version: 1.1.0", 1).replace('en: "your service provider"', 'en: "your MSP"', 1)
    new = new.replace("every working day, 8:00 to 17:00", "every working day, 9:00 to 17:00")
    paths = [tmp_path / name for name in ("old.yaml", "new.yaml", "northwind.yaml")]
    overlay = (FOLDER / "overlays" / "northwind.yaml").read_text("utf-8")
    for path, text in zip(paths, (old, new, overlay), strict=True):
        path.write_text(text, "utf-8")
    return [str(path) for path in paths]


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers())
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code


class TestDiff:
    def test_tells_every_change_and_counts(self, files, capsys):
        assert run("diff", *files[:2]) == 0
        told = capsys.readouterr().out.splitlines()
        assert 'version: changed "1.0.0" → "1.1.0"' in told
        assert 'texts.provider.en: changed "your service provider" → "your MSP"' in told
        assert told[-1].endswith(" changed")
        assert run("diff", "--exit-code", *files[:2]) == 1
        assert run("diff", "--exit-code", files[0], files[0]) == 0
        assert capsys.readouterr().out.endswith("Nothing changed.\n")

    def test_of_what_cannot_be_read_is_refused(self, files, tmp_path):
        with pytest.raises(FileUnreadable):
            run("diff", files[0], str(tmp_path / "nowhere.yaml"))
        with pytest.raises(TemplateRefused):
            run("diff", files[0], files[2])


class TestMerge:
    def test_asks_and_writes_nothing_until_it_is_decided(self, files, tmp_path, capsys):
        target = tmp_path / "out.yaml"
        assert run("merge", *files, "-o", str(target)) == 1
        told = capsys.readouterr().err
        assert "texts.provider.en: both changed" in told
        assert '  ours:   "Northwind Managed Services"' in told
        assert "1 open" in told
        assert not target.exists()

    def test_writes_the_authors_file_anew(self, files, tmp_path, capsys):
        target = tmp_path / "out.yaml"
        decided = ["--take", "texts.provider.en=ours"]
        assert run("merge", *files, *decided, "-o", str(target)) == 0
        before, after = (tmp_path / "northwind.yaml").read_text("utf-8"), target.read_text("utf-8")
        differing = [line for line in after.splitlines() if line not in before.splitlines()]
        assert [line.split(":")[0].strip() for line in differing] == ["version", "digest"]
        assert run("merge", files[1], files[1], str(target)) == 0, "it is an overlay of the new version"
        assert capsys.readouterr().out == after

    def test_drops_what_upstream_says_better(self, files, capsys):
        assert run("merge", *files, "--take", "texts.provider.en=theirs") == 0
        out = capsys.readouterr().out
        assert 'en: "Northwind Managed Services", de' in out.split("texts:")[0]
        assert "provider: {de:" in out

    def test_refuses_another_word(self, files, capsys):
        with pytest.raises(SystemExit):
            run("merge", *files, "--take", "texts.provider.en=mine")
        assert "=ours or =theirs" in capsys.readouterr().err
