"""A tenant's own keys, and sealing and opening with them. Bytes in, bytes out: where they are stored is not known here.

The tenant's key (DEK) is wrapped by its wrapping key and seals door secrets and files; its public key seals connection
secrets. `keyring.py` says who can open what, and why. No key is kept here, so a disabled or destroyed one acts at once;
only a vault's answers are remembered, for minutes (`opened_keys.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.vault.envelope import Place, SecretUnreadable, make_key, open_sealed, place_of, seal
from app.vault.keyring import Keyring, NotOpenedHere
from app.vault.rules import Program, SecretContext, can_open, is_door_purpose
from app.vault.sealed_box import make_pair, open_with, public_of, seal_to
from app.vault.secret import Secret

_DEK: Final = "dek"


@dataclass(frozen=True, slots=True)
class TenantKeys:
    """One version of a tenant's keys, as stored: nothing here opens anything without a keyring."""

    public_key: bytes
    wrapped_dek: bytes
    wrapped_private: bytes
    version: int


def make_tenant_keys(keyring: Keyring, tenant_id: UUID) -> TenantKeys:
    """A new tenant's first keys; its wrapping key is made too unless it exists.

    Raises KeyMissing after its destruction.
    """
    keyring.wrapping.create(tenant_id)
    return next_tenant_keys(keyring, tenant_id, version=1)


def next_tenant_keys(keyring: Keyring, tenant_id: UUID, *, version: int) -> TenantKeys:
    """Another version of a tenant's keys, under the wrapping key it has. Raises KeyMissing, KeysDisabled."""
    dek = make_key()
    public, private = make_pair()
    boxed = seal_to(keyring.worker_public, _pair_place(tenant_id, version), private)
    return TenantKeys(
        public_key=public,
        wrapped_dek=keyring.wrapping.wrap(tenant_id, dek, purpose=_purpose(version)),
        wrapped_private=seal(dek, _pair_place(tenant_id, version), Secret(boxed)),
        version=version,
    )


def rewrap_keys(keyring: Keyring, keys: TenantKeys, tenant_id: UUID) -> TenantKeys:
    """The same keys under the newest version of the wrapping key. Raises KeyMissing, KeysDisabled, SecretUnreadable."""
    again = keyring.wrapping.rewrap(tenant_id, keys.wrapped_dek, purpose=_purpose(keys.version))
    return replace(keys, wrapped_dek=again)


def open_dek(keyring: Keyring, keys: TenantKeys, tenant_id: UUID) -> Secret:
    """The tenant's own key, for files and door secrets. Raises KeyMissing, KeyringUnsafe, SecretUnreadable."""
    return keyring.wrapping.unwrap(tenant_id, keys.wrapped_dek, purpose=_purpose(keys.version))


def seal_connection_secret(keys: TenantKeys, context: SecretContext, secret: Secret) -> bytes:
    """Seal what a connection signs in with. Needs no keyring: whoever seals cannot open."""
    if is_door_purpose(context.purpose):
        raise NotOpenedHere(f"A secret for {context.purpose} is a door secret: seal it as one.")
    return seal_to(keys.public_key, place_of(context, keys.version), secret)


def open_connection_secret(keyring: Keyring, keys: TenantKeys, context: SecretContext, sealed: bytes) -> Secret:
    """Open it inside a worker's run. Raises NotOpenedHere elsewhere, KeyMissing, SecretUnreadable."""
    worker = keyring.require_worker_key()
    if not can_open(keyring.program, context.purpose):
        raise NotOpenedHere(f"Connection secrets are opened inside a worker's run, never by the {keyring.program}.")
    place = _pair_place(context.tenant_id, keys.version)
    boxed = open_sealed(open_dek(keyring, keys, context.tenant_id), place, keys.wrapped_private)
    private = open_with(worker, place, boxed.reveal_bytes())
    return open_with(private, place_of(context, keys.version), sealed)


def seal_door_secret(keyring: Keyring, keys: TenantKeys, context: SecretContext, secret: Secret) -> bytes:
    """Seal what a door needs; `context.purpose` is a DoorPurpose. Raises NotOpenedHere for any other purpose."""
    if not is_door_purpose(context.purpose):
        raise NotOpenedHere(f"No door opens secrets for {context.purpose}.")
    return seal(open_dek(keyring, keys, context.tenant_id), place_of(context, keys.version), secret)


def open_door_secret(keyring: Keyring, keys: TenantKeys, context: SecretContext, sealed: bytes) -> Secret:
    """Open it in the program that guards that door (`rules.OPENERS`).

    Raises NotOpenedHere in any other, KeyMissing, SecretUnreadable.
    """
    if not is_door_purpose(context.purpose) or not can_open(keyring.program, context.purpose):
        raise NotOpenedHere(f"Secrets for {context.purpose} are not opened by the {keyring.program}.")
    return open_sealed(open_dek(keyring, keys, context.tenant_id), place_of(context, keys.version), sealed)


@dataclass(frozen=True, slots=True)
class BareKeys:
    """One version of a tenant's keys without what locks them: on the way from one installation to another."""

    public_key: bytes
    dek: Secret
    private: Secret
    version: int


def unlock_keys(keyring: Keyring, keys: TenantKeys, tenant_id: UUID) -> BareKeys:
    """The bare keys, for a worker or an operator who moves the tenant.

    Raises NotOpenedHere in any other program, KeyMissing, SecretUnreadable.
    """
    worker = _require_mover(keyring)
    dek, place = open_dek(keyring, keys, tenant_id), _pair_place(tenant_id, keys.version)
    boxed = open_sealed(dek, place, keys.wrapped_private)
    return BareKeys(keys.public_key, dek, open_with(worker, place, boxed.reveal_bytes()), keys.version)


def lock_keys(keyring: Keyring, bare: BareKeys, tenant_id: UUID) -> TenantKeys:
    """The same keys, locked as this installation locks them; the wrapping key is made unless it exists.

    Raises NotOpenedHere, KeyMissing after the destruction of the wrapping key, SecretUnreadable for two halves.
    """
    _require_mover(keyring)
    if public_of(bare.private) != bare.public_key:
        raise SecretUnreadable
    keyring.wrapping.create(tenant_id)
    place = _pair_place(tenant_id, bare.version)
    boxed = seal_to(keyring.worker_public, place, bare.private)
    return TenantKeys(
        public_key=bare.public_key,
        wrapped_dek=keyring.wrapping.wrap(tenant_id, bare.dek, purpose=_purpose(bare.version)),
        wrapped_private=seal(bare.dek, place, Secret(boxed)),
        version=bare.version,
    )


def _require_mover(keyring: Keyring) -> Secret:
    """The worker's key, in the programs that may take a tenant's keys apart."""
    if keyring.program not in {Program.WORKER, Program.OPERATOR}:
        raise NotOpenedHere(f"A workspace's keys are moved by a worker or an operator, never by the {keyring.program}.")
    return keyring.require_worker_key()


def reseal(keyring: Keyring, keys: tuple[TenantKeys, TenantKeys], context: SecretContext, sealed: bytes) -> bytes:
    """A secret of either class under newer keys (the pair is old, new): read by nobody, in a worker only.

    Raises NotOpenedHere, KeyMissing, KeysDisabled, SecretUnreadable.
    """
    keyring.require_worker_key()
    old, new = keys
    if not is_door_purpose(context.purpose):
        return seal_connection_secret(new, context, open_connection_secret(keyring, old, context, sealed))
    dek = open_dek(keyring, old, context.tenant_id)
    opened = open_sealed(dek, place_of(context, old.version), sealed)
    return seal_door_secret(keyring, new, context, opened)


def _purpose(version: int) -> str:
    return f"{_DEK}:{version}"


def _pair_place(tenant_id: UUID, version: int) -> Place:
    return Place(("connection pair", str(tenant_id)), version)
