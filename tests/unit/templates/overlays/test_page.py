"""The page about overlays shows what works."""

from __future__ import annotations

import re

from app.templates.merging import ConflictKind
from app.templates.overlay import apply_overlays, read_overlay
from app.templates.overlays.marks import MARKS
from tests.architecture.source import ROOT
from tests.unit.templates.samples import managed_services

PAGE = (ROOT / "docs/templates/overlays.md").read_text("utf-8")


class TestPage:
    def test_shows_an_overlay_that_applies(self):
        text = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)[0].replace("sha256:…", managed_services().digest)
        effective = apply_overlays(managed_services(), [read_overlay(text, "page.yaml")])
        tasks = effective.compile().items["milestone.people_ready"].children
        assert tasks == ("task.train_staff", "task.remind", "task.announce")

    def test_names_every_mark_and_every_conflict(self):
        assert all(f"`{mark}:" in PAGE for mark in MARKS)
        assert all(f"| `{kind}` |" in PAGE for kind in ConflictKind)
