"""The manifest: what was built, and what to do when nothing was."""

from __future__ import annotations

import json

import pytest

from app.web import assets


@pytest.fixture
def dist(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "DIST", tmp_path)
    assets.built_assets.cache_clear()
    yield tmp_path
    assets.built_assets.cache_clear()


class TestBuiltAssets:
    def test_leads_from_plain_to_hashed_names(self, dist):
        (dist / "manifest.json").write_text(json.dumps({"app.css": "app.AB12.css"}), encoding="utf-8")
        assert assets.built_assets().address("app.css") == "/static/app.AB12.css"

    def test_says_what_to_run_when_nothing_was_built(self, dist):
        with pytest.raises(assets.AssetsNotBuilt, match="make assets"):
            assets.built_assets()
