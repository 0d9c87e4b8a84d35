"""What is done with a tenant's secrets: stored, handed out sealed, opened at their door; and with its keys."""

from app.vault.operations.moving import count_keys, put_keys, take_keys
from app.vault.operations.rotation import make_keys
from app.vault.operations.secrets import (
    SealedSecrets,
    forget_connection_secrets,
    forget_door_secret,
    keep_connection_secret,
    keep_door_secret,
    move_connection_secrets,
    open_door_secrets,
    promote_connection_secrets,
    put_connection_secret,
    put_door_secret,
    take_connection_secrets,
)
from app.vault.operations.switch import destroy_keys

__all__ = [
    "SealedSecrets",
    "count_keys",
    "destroy_keys",
    "forget_connection_secrets",
    "forget_door_secret",
    "keep_connection_secret",
    "keep_door_secret",
    "make_keys",
    "move_connection_secrets",
    "open_door_secrets",
    "promote_connection_secrets",
    "put_connection_secret",
    "put_door_secret",
    "put_keys",
    "take_connection_secrets",
    "take_keys",
]
