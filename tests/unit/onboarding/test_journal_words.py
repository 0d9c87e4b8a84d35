"""The journal is told in words: every event of the engine has some."""

from typing import get_args

from app.flow import events
from app.onboarding.queries.wire.words import WORDS


class TestWords:
    def test_are_there_for_every_event(self):
        assert {each.__struct_config__.tag for each in get_args(events.Event)} == WORDS.keys()
