"""The operator's word counts for one submission and one file."""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.note import NoteKey
from app.marketplace.signing import countersign, is_countersigned

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
KEY = NoteKey("operator", PRIVATE.public_key().public_bytes_raw())
OTHER = NoteKey("operator", Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key().public_bytes_raw())
ONE, TWO = UUID(int=1), UUID(int=2)


class TestCountersign:
    def test_is_for_this_submission_this_file_and_this_key(self):
        word = countersign(ONE, b"file", PRIVATE)
        assert is_countersigned(ONE, b"file", word, KEY)
        assert not is_countersigned(TWO, b"file", word, KEY)
        assert not is_countersigned(ONE, b"File", word, KEY)
        assert not is_countersigned(ONE, b"file", word, OTHER)

    def test_is_not_what_is_damaged(self):
        for word in ("", "AAAA", "not base64!", "\u00e9"):
            assert not is_countersigned(ONE, b"file", word, KEY)
