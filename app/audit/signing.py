"""Who signs checkpoints: the vault, which stands above the trail and holds the keys; bootstrap wires it."""

from __future__ import annotations

from typing import Protocol

from app.kernel.work import Work


class Signer(Protocol):
    """Signs for the tenant of a unit of work, with that tenant's own key, which is made when it is first needed."""

    def sign(self, work: Work, *, size: int, root: bytes) -> str | None:
        """The signed note of a checkpoint; None for a tenant that has no keys any more.

        Raises a SlipwayError while the keeper of keys cannot be asked.
        """

    def public_key(self, work: Work) -> str | None:
        """The tenant's public key, written as `name+id+key`; None before its first checkpoint."""


class Signers:
    """The service by which a process is asked for its signer."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
