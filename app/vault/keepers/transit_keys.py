"""Wrapping keys in the transit engine of OpenBao or HashiCorp Vault: they never leave it. No file of ours, no database.

One derived AES-256-GCM key a tenant, `<installation>_<tenant>`. Each wrapped key is bound to tenant and purpose by the
derivation context (`rewrap` ignores `associated_data`, and a rotation must not see the key it wraps anew). A key of the
same name with `.destroyed` or `.disabled` at its end is a marker that wraps nothing.

Disabled means refused by the vault itself: the key gets a version that has wrapped nothing, and
`min_decryption_version` is set to it. That works in both products; OpenBao's `soft-delete` is not in Vault.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Final
from uuid import UUID

from app.vault.envelope import Place, SecretUnreadable
from app.vault.keepers.opened_keys import OpenedKeys
from app.vault.keepers.transit_line import Answer, KeyNotThere, Refused, TransitLine, VaultAway
from app.vault.keepers.wrapping import DESTROYED, DISABLED, RETIRED, KeyMissing, KeysDisabled, KeyState
from app.vault.secret import Secret

_FORM: Final = re.compile(rb"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]+")
_DELETIONS: Final = 5
_NO_KEY: Final = "This workspace has no key in the vault. Restore the vault, or create the key."


class TransitKeys:
    """Wrapping keys behind a line to the vault. Safe for many threads and programs at once.

    Opened keys are remembered for minutes (`opened_keys.py`); `forget` is called when word comes that a key was
    disabled or destroyed. Raises VaultAway where the vault cannot be asked.
    """

    def __init__(self, line: TransitLine, *, prefix: str, opened: OpenedKeys | None = None) -> None:
        self._line, self._prefix = line, prefix
        self._opened = opened or OpenedKeys()

    def forget(self) -> None:
        """Remember no opened key."""
        self._opened.forget()

    def create(self, tenant_id: UUID) -> None:
        """Make the tenant's key unless there is one. Raises KeyMissing when it was destroyed."""
        self._refuse(tenant_id, disabled=False)
        self._line.write(f"keys/{self._name(tenant_id)}", type="aes256-gcm96", derived=True)
        self._look_again(tenant_id, disabled=False)

    def wrap(self, tenant_id: UUID, secret: Secret, *, purpose: str) -> bytes:
        """Seal by the newest version, for this purpose only. Raises KeyMissing, KeysDisabled.

        Looks before, since `encrypt` makes a key that is not there, and after, since it may have been switched off
        meanwhile: what was sealed in that moment is given to nobody.
        """
        self._refuse(tenant_id)
        self._read(tenant_id)
        context, plain = _context(tenant_id, purpose), b64encode(secret.reveal_bytes()).decode()
        answer = self._line.write(f"encrypt/{self._name(tenant_id)}", plaintext=plain, context=context)
        self._look_again(tenant_id)
        return str(answer["ciphertext"]).encode()

    def unwrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> Secret:
        """Open what `wrap` gave. Raises KeyMissing, KeysDisabled, SecretUnreadable."""

        def ask() -> Secret:
            answer = self._open(tenant_id, "decrypt", wrapped, purpose)
            return Secret(b64decode(str(answer["plaintext"])))

        return self._opened.recall((tenant_id, purpose, wrapped), ask)

    def rewrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> bytes:
        """The same key by the newest version, seen by nobody. Raises what `unwrap` raises."""
        self._refuse(tenant_id)
        answer = self._open(tenant_id, "rewrap", wrapped, purpose)
        self._look_again(tenant_id)
        return str(answer["ciphertext"]).encode()

    def version_of(self, wrapped: bytes) -> int:
        """Which version sealed this. Raises SecretUnreadable."""
        found = _FORM.fullmatch(wrapped)
        if found is None:
            raise SecretUnreadable
        return int(found[1])

    def newest(self, tenant_id: UUID) -> int:
        """The newest version. Raises KeyMissing, KeysDisabled."""
        self._refuse(tenant_id)
        return int(self._read(tenant_id)["latest_version"])

    def rotate(self, tenant_id: UUID, *, beyond: int) -> int:
        """Add a version unless there is one above `beyond`. Returns the newest; raises KeyMissing, KeysDisabled."""
        newest = self.newest(tenant_id)
        if newest > beyond:
            return newest
        self._line.write(f"keys/{self._name(tenant_id)}/rotate")
        return self.newest(tenant_id)

    def retire(self, tenant_id: UUID, *, below: int) -> None:
        """Destroy the versions below this one; the newest always stays. Raises KeyMissing, KeysDisabled."""
        kept = min(below, self.newest(tenant_id))
        name, key = self._name(tenant_id), self._read(tenant_id)
        if kept <= int(key["min_available_version"]) or kept == 1:
            return
        self._open_from(name, kept)
        if f"{name}.disabled" in self._marks(tenant_id):
            self.disable(tenant_id)  # switched off meanwhile: our line must not have undone it
            raise KeysDisabled(DISABLED)
        self._line.write(f"keys/{name}/trim", min_available_version=kept)
        self.forget()

    def disable(self, tenant_id: UUID) -> None:
        """Switch the key off in the vault. Raises KeyMissing when there is none."""
        name = self._name(tenant_id)
        self._refuse(tenant_id, disabled=False)
        self._read(tenant_id)
        self._line.write(f"keys/{name}.disabled")
        self._line.write(f"keys/{name}/rotate")
        self._open_from(name, int(self._read(tenant_id)["latest_version"]))
        self.forget()

    def enable(self, tenant_id: UUID) -> None:
        """Switch it on again. Raises KeyMissing when there is none."""
        self._refuse(tenant_id, disabled=False)
        name, key = self._name(tenant_id), self._read(tenant_id)
        self._open_from(name, max(int(key["min_available_version"]), 1))
        self._remove(f"{name}.disabled")
        self.forget()

    def destroy(self, tenant_id: UUID) -> None:
        """Destroy the key for good; the marker stays. Repeatable."""
        name = self._name(tenant_id)
        self._line.write(f"keys/{name}.destroyed")
        self._remove(name)
        self._remove(f"{name}.disabled")
        self.forget()

    def states(self) -> dict[UUID, KeyState]:
        """Every tenant of this installation that has a key here, or had one that was destroyed."""
        found: dict[str, set[UUID]] = {ending: set() for ending in ("", KeyState.DISABLED, KeyState.DESTROYED)}
        for name in self._line.names():
            tenant, _dot, ending = name.removeprefix(f"{self._prefix}_").partition(".")
            if name.startswith(f"{self._prefix}_"):
                with suppress(ValueError):
                    found.get(ending, set()).add(UUID(tenant))
        states = dict.fromkeys(found[""], KeyState.ACTIVE)
        states |= dict.fromkeys(found[""] & found[KeyState.DISABLED], KeyState.DISABLED)
        states |= dict.fromkeys(found[KeyState.DESTROYED], KeyState.DESTROYED)
        return states | dict.fromkeys(found[""] & found[KeyState.DESTROYED], KeyState.RETURNED)

    def _name(self, tenant_id: UUID) -> str:
        return f"{self._prefix}_{tenant_id}"

    def _read(self, tenant_id: UUID) -> Answer:
        try:
            return self._line.read(f"keys/{self._name(tenant_id)}")
        except KeyNotThere:
            raise KeyMissing(_NO_KEY) from None

    def _marks(self, tenant_id: UUID) -> set[str]:
        """The markers that stand beside the tenant's key."""
        names = [f"{self._name(tenant_id)}.{state}" for state in (KeyState.DESTROYED, KeyState.DISABLED)]
        return {name for name in names if self._line.has(f"keys/{name}")}

    def _refuse(self, tenant_id: UUID, *, disabled: bool = True) -> None:
        """Raise KeyMissing beside the marker of a destruction, KeysDisabled (where it matters) beside the other."""
        marks = self._marks(tenant_id)
        if f"{self._name(tenant_id)}.{KeyState.DESTROYED}" in marks:
            raise KeyMissing(DESTROYED)
        if disabled and f"{self._name(tenant_id)}.{KeyState.DISABLED}" in marks:
            raise KeysDisabled(DISABLED)

    def _look_again(self, tenant_id: UUID, *, disabled: bool = True) -> None:
        """After what may have brought a destroyed key back: take it away again, and raise."""
        try:
            self._refuse(tenant_id, disabled=disabled)
        except KeyMissing:
            self.destroy(tenant_id)
            raise

    def _open(self, tenant_id: UUID, verb: str, wrapped: bytes, purpose: str) -> Answer:
        version, name = self.version_of(wrapped), self._name(tenant_id)
        try:
            return self._line.write(f"{verb}/{name}", ciphertext=wrapped.decode(), context=_context(tenant_id, purpose))
        except (KeyNotThere, Refused):
            self._refuse(tenant_id)  # the products say why in words of their own: look instead
            if version < int(self._read(tenant_id)["min_decryption_version"]):
                raise KeyMissing(RETIRED) from None
            raise SecretUnreadable from None

    def _open_from(self, name: str, version: int) -> None:
        """Refuse what versions below this one have wrapped. The second number may never be less than the first."""
        self._configure(name, min_decryption_version=version, min_encryption_version=version)

    def _configure(self, name: str, **setting: int) -> None:
        try:
            self._line.write(f"keys/{name}/config", **setting)
        except (KeyNotThere, Refused):
            if not self._line.has(f"keys/{name}"):
                raise KeyMissing(_NO_KEY) from None
            raise

    def _remove(self, name: str) -> None:
        """Delete the key of that name; again, where a creator at the same moment has put one back.

        Of two who delete it at once the second gets a refusal, or a 500: what counts is whether it is there.
        """
        for _attempt in range(_DELETIONS):
            try:
                self._line.write(f"keys/{name}/config", deletion_allowed=True)
                self._line.remove(f"keys/{name}")
            except (KeyNotThere, Refused, VaultAway):
                if not self._line.has(f"keys/{name}"):
                    return
            else:
                return
        raise VaultAway("The key vault did not delete a key. Ask again.")


def _context(tenant_id: UUID, purpose: str) -> str:
    words = Place(parts=("wrapping", str(tenant_id), purpose), key_version=0)
    return b64encode(words.encoded("transit")).decode()
