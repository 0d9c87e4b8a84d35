"""Where the built stylesheet, script and icons are: names from the manifest that `make assets` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from app.kernel.errors import Unavailable

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
DIST = FRONTEND / "static" / "dist"
PREFIX = "/static/"


class AssetsNotBuilt(Unavailable):
    """The front end was never built in this checkout."""


@dataclass(frozen=True, slots=True, eq=False)
class Assets:
    """Plain names and the hashed names they were built under; a hashed name may be cached for ever."""

    names: Mapping[str, str]

    def address(self, name: str) -> str:
        """The path a page links `name` by. A name that was not built is a KeyError: the page is wrong."""
        return PREFIX + self.names[name]


@cache
def built_assets() -> Assets:
    """What the last build left in `frontend/static/dist`. Raises AssetsNotBuilt when there was none."""
    try:
        return Assets(json.loads((DIST / "manifest.json").read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise AssetsNotBuilt("The pages' stylesheet and script are not built. Run `make assets`.") from error


@cache
def icon_names() -> frozenset[str]:
    """The icons that the sprite holds."""
    listed = json.loads((FRONTEND / "static" / "icons.json").read_text(encoding="utf-8"))
    return frozenset(cast("list[str]", listed))
