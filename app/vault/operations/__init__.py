"""What is done with a tenant's secrets: stored, handed out sealed, opened at their door; and with its keys."""

from app.vault.operations.rotation import make_keys
from app.vault.operations.secrets import (
    SealedSecrets,
    open_door_secrets,
    put_connection_secret,
    put_door_secret,
    take_connection_secrets,
)
from app.vault.operations.switch import destroy_keys

__all__ = [
    "SealedSecrets",
    "destroy_keys",
    "make_keys",
    "open_door_secrets",
    "put_connection_secret",
    "put_door_secret",
    "take_connection_secrets",
]
