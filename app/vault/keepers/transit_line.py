"""The line to a vault: address, token, time-outs, and what its answers mean. Knows no tenant and keeps no key.

The vault is the operator's own, named in the settings like the databases: the egress guard, which stands between
tenants' addresses and this network, has nothing to say here.
"""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.kernel.errors import Conflict, Missing, Unavailable
from app.vault.keepers.wrapping import KeyringUnsafe

Answer = dict[str, Any]  # Any: JSON
_REST: Final = 3.0  # seconds without a call after one that got no answer
_TIME_OUT: Final = (2.0, 5.0)  # seconds to connect, and between two bytes of the answer


class VaultAway(Unavailable):
    """The vault does not answer, is sealed or too busy: nothing can be opened until it is back."""


class VaultRefusesUs(Unavailable):
    """The vault does not take our token, or the token may not do this."""


class KeyNotThere(Missing):
    """The vault knows no key of this name."""


class Refused(Conflict):
    """The vault understood and refused: another key, another purpose, a version that is too old."""


@dataclass(frozen=True, slots=True)
class TransitVault:
    """Where the vault is, as the settings say it."""

    url: str
    mount: str
    token_file: Path
    ca_file: Path | None = None


class TransitLine:
    """Calls under `/v1/<mount>/`. The token is read from its file, and again when the vault refuses it.

    So whoever renews the token (an agent, a cron job) only writes the file. After a call that got no answer the vault
    is left alone for a moment: some callers hold a database connection meanwhile, and an outage of the vault must not
    use all of these up. Raises KeyringUnsafe without the extra
    `vault`, or for a token file that others may read; VaultAway, VaultRefusesUs.
    """

    def __init__(self, vault: TransitVault, *, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            import hvac
            import requests
        except ImportError:
            raise KeyringUnsafe(
                "SLIPWAY_TRANSIT_URL is set, and the client for it is missing. Run: pip install slipway[vault]"
            ) from None
        self._vault, self._errors, self._trouble = vault, hvac.exceptions, requests.RequestException
        self._client = hvac.Client(
            url=vault.url,
            token=_token(vault),
            verify=str(vault.ca_file) if vault.ca_file else True,
            timeout=_TIME_OUT,
            allow_redirects=False,
        )
        session = self._client.session
        session.trust_env = False  # neither a proxy nor a .netrc of this machine stands between us and the vault
        for scheme in ("https://", "http://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=64))  # a connection for each thread
        self._lock = threading.Lock()
        self._clock, self._away_until = clock, 0.0

    def read(self, path: str) -> Answer:
        """What the vault says about it. Raises KeyNotThere."""
        return self._ask(lambda: self._client.adapter.get(self._url(path)))

    def has(self, path: str) -> bool:
        """Whether the vault knows it."""
        try:
            self.read(path)
        except KeyNotThere:
            return False
        return True

    def write(self, path: str, **body: object) -> Answer:
        """Send it. Raises KeyNotThere, Refused."""
        return self._ask(lambda: self._client.adapter.post(self._url(path), json=body))

    def remove(self, path: str) -> None:
        """Delete it. Raises KeyNotThere, Refused."""
        self._ask(lambda: self._client.adapter.delete(self._url(path)))

    def names(self) -> list[str]:
        """The names of all keys under the mount."""
        try:
            answer = self._ask(lambda: self._client.adapter.list(self._url("keys")))
        except KeyNotThere:  # how the vault says that there are none
            return []
        return [str(name) for name in answer["keys"]]

    def _url(self, path: str) -> str:
        return f"/v1/{self._vault.mount}/{path}"

    def _ask(self, call: Callable[[], Any]) -> Answer:
        used = self._client.token
        try:
            return self._answer(call)
        except VaultRefusesUs:
            with self._lock:
                if self._client.token == used:
                    self._client.token = _token(self._vault)
            if self._client.token == used:
                raise
        return self._answer(call)

    def _answer(self, call: Callable[[], Any]) -> Answer:
        errors = self._errors
        if self._clock() < self._away_until:
            raise VaultAway("The key vault did not answer a moment ago. Try again.")
        try:
            answer = call()
        except (errors.Forbidden, errors.Unauthorized):
            raise VaultRefusesUs(
                f"The key vault refuses the token in {self._vault.token_file}. Renew it, or widen its policy."
            ) from None
        except errors.InvalidPath as error:
            if error.errors:  # a key that is not there comes without words; these speak of a route
                raise VaultAway(
                    f"The key vault has no transit engine at {self._vault.mount}. Enable it, or correct "
                    "SLIPWAY_TRANSIT_MOUNT."
                ) from None
            raise KeyNotThere("The key vault knows no such key.") from None
        except errors.InvalidRequest:
            raise Refused("The key vault refused this key.") from None
        except (errors.VaultError, self._trouble) as error:
            if isinstance(error, self._trouble):
                self._away_until = self._clock() + _REST
            raise VaultAway(f"The key vault cannot be used right now ({type(error).__name__}). Try again.") from None
        if isinstance(answer, dict):
            return dict(answer.get("data") or {})
        if answer.status_code == 204:  # noqa: PLR2004 - HTTP's "done, nothing to say"
            return {}
        raise VaultAway(
            f"The key vault answers {answer.status_code}. SLIPWAY_TRANSIT_URL must name it itself: a redirect would "
            "take the token elsewhere."
        )


def _token(vault: TransitVault) -> str:
    """The token in its file, which nobody but its owner and group may read."""
    try:
        found = vault.token_file.stat()
        if found.st_mode & stat.S_IRWXO:
            raise KeyringUnsafe(f"{vault.token_file} is open to other users. Run: chmod 640 {vault.token_file}")
        token = vault.token_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise VaultRefusesUs(f"The token file {vault.token_file} cannot be read.") from None
    if not token:
        raise VaultRefusesUs(f"The token file {vault.token_file} is empty.")
    return token
