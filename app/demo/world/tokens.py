"""The demo's own tokens, made once for an installation and kept where only its owner can read: never in the tree."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from app.demo.embedded.folder import write_private

_FILE = "tokens.json"


class Tokens:
    """Words and their tokens: `northwind/hook`, `northwind/hubspot`, `acme/product_admin`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._known: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def make(self, words: Iterable[str]) -> None:
        """A token for each word that has none yet."""
        missing = [word for word in words if word not in self._known]
        if missing:
            self._known |= {word: f"demo-{secrets.token_urlsafe(24)}" for word in missing}
            self._write()

    def keep(self, word: str, token: str) -> None:
        """Keep a token that somebody else has made."""
        self._known[word] = token
        self._write()

    def find(self, word: str) -> str | None:
        """The token of a word."""
        return self._known.get(word)

    def __getitem__(self, word: str) -> str:
        return self._known[word]

    def of(self, kind: str) -> dict[str, str]:
        """All tokens of a kind, each with whom it belongs to: what a stand-in needs to know its accounts."""
        ending = f"/{kind}"
        return {token: word.removesuffix(ending) for word, token in self._known.items() if word.endswith(ending)}

    def _write(self) -> None:
        write_private(self._path, json.dumps(self._known, indent=1))
