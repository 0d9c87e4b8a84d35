"""Signed notes are those of the specification: its own example verifies, and nothing but our spelling is taken."""

from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.audit.note import Checkpoint, NoteBroken, is_signed, make_key, read_key, read_note, sign

# The example of the Go package that signed notes come from.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
KEY, PRIVATE = make_key("slipway.example/trail/1")
NOTE = sign(Checkpoint(KEY.name, 42, bytes(range(32))), KEY, PRIVATE)


class TestAKey:
    def test_of_the_specification_is_read_and_verifies_its_note(self):
        key, raw = read_key(NEUMANN), b64decode(SIGNATURE)
        assert raw[:4] == key.id
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], SAID.encode())

    @pytest.mark.parametrize(
        "wrong", ["", "a", "a+b", NEUMANN[:-1], NEUMANN.replace("c74f20a3", "c74f20a4"), NEUMANN.replace("Peter", "P")]
    )
    def test_that_is_not_whole_is_refused(self, wrong):
        with pytest.raises(NoteBroken):
            read_key(wrong)

    def test_has_a_fingerprint_that_people_can_read_out(self):
        assert len(KEY.fingerprint.split()) == 8
        assert KEY.fingerprint != make_key(KEY.name)[0].fingerprint


class TestACheckpoint:
    def test_is_read_back_and_verified(self):
        assert read_note(NOTE) == Checkpoint(KEY.name, 42, bytes(range(32)))
        assert is_signed(NOTE, KEY)
        assert not is_signed(NOTE, make_key(KEY.name)[0])

    def test_with_any_byte_changed_is_refused_or_not_signed(self):
        raw = NOTE.encode()
        for place in range(len(raw)):
            changed = bytearray(raw)
            changed[place] ^= 1
            try:
                assert not is_signed(changed.decode(), KEY), place
            except (NoteBroken, UnicodeDecodeError):
                continue

    @pytest.mark.parametrize("wrong", ["", "a", NOTE[:-1], NOTE + "\n", NOTE.replace("\n42\n", "\n042\n"), NOTE + NOTE])
    def test_in_another_spelling_is_refused(self, wrong):
        with pytest.raises(NoteBroken):
            read_note(wrong)
