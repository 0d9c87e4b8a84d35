"""The demo's bookmark: killed at any moment, it holds the day before or the day after, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.demo.world.history import Bookmark


class Killed(BaseException):
    """The process died here."""


class TestBookmark:
    def test_goes_on_behind_the_day_that_was_told(self, tmp_path):
        bookmark = Bookmark(tmp_path / "told")
        assert bookmark.read(22) == 22
        bookmark.write(14)
        assert bookmark.read(22) == 13

    @pytest.mark.parametrize("step", ["write", "replace"])
    def test_keeps_the_last_day_when_killed_while_writing_the_next(self, tmp_path, monkeypatch, step):
        bookmark = Bookmark(tmp_path / "told")
        bookmark.write(14)

        def die(*_args: object, **_named: object) -> None:
            raise Killed

        monkeypatch.setattr(*((Path, "replace") if step == "replace" else (os, "fsync")), die)
        with pytest.raises(Killed):
            bookmark.write(13)
        monkeypatch.undo()
        assert bookmark.read(22) == 13
        bookmark.write(13)
        assert bookmark.read(22) == 12
