"""A secret shows itself to nobody who does not ask by name."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass

import msgspec
import pytest

from app.vault.secret import HIDDEN, Secret

CANARY = "canary-7f3a-correct-horse"


@dataclass
class Holder:
    secret: Secret


class TestSecret:
    def test_reveals_what_it_was_given(self):
        assert Secret("pässword").reveal() == "pässword"
        assert Secret(b"\xff\x00").reveal_bytes() == b"\xff\x00"
        assert Secret(bytearray(b"ab")).reveal_bytes() == b"ab"

    @pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>40}".format, lambda s: "%s %r" % (s, s), ascii])  # noqa: UP031 - one of the ways that is tried
    def test_shows_itself_in_no_text(self, show):
        shown = show(Secret(CANARY))
        assert CANARY not in shown
        assert HIDDEN in shown

    def test_hides_inside_other_objects(self):
        shown = repr([Holder(Secret(CANARY)), {"a": Secret(CANARY)}, asdict(Holder(Secret(CANARY)))])
        assert CANARY not in shown

    def test_hides_in_a_log_line(self, caplog):
        with caplog.at_level(logging.INFO):
            logging.getLogger("t").info("signed in with %s", Secret(CANARY), extra={"also": Secret(CANARY)})
        assert CANARY not in caplog.text

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_is_not_pickled(self, protocol):
        with pytest.raises(TypeError, match="not written anywhere"):
            pickle.dumps(Secret(CANARY), protocol)

    def test_is_not_encoded(self):
        for encode in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
            with pytest.raises(TypeError) as trouble:
                encode({"secret": Secret(CANARY)})
            assert CANARY not in str(trouble.value)
        assert CANARY not in json.dumps({"secret": Secret(CANARY)}, default=str)

    def test_has_no_state_to_look_at(self):
        secret = Secret(CANARY)
        assert not hasattr(secret, "__dict__")
        with pytest.raises(TypeError):
            secret.__getstate__(2)
        with pytest.raises(TypeError):
            hash(secret)

    def test_copies_are_itself(self):
        secret = Secret(CANARY)
        assert copy.copy(secret) is secret
        assert copy.deepcopy({"a": secret})["a"] is secret

    def test_compares_by_value_and_only_with_secrets(self):
        assert Secret("a") == Secret(b"a")
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"
        assert not Secret("")

    def test_does_not_show_bytes_that_are_no_text(self):
        with pytest.raises(ValueError, match="bytes, not text") as trouble:
            Secret(b"\xff" + CANARY.encode()).reveal()
        frames = "".join(traceback.TracebackException.from_exception(trouble.value, capture_locals=True).format())
        assert CANARY not in frames
