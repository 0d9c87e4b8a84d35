"""`slipway events` as its users type it, and that the committed catalogue is what this build announces."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app.bootstrap.commands.events import declare_events, run_events
from app.cli import main
from app.kernel.catalogue.document import EventsBroken, make_catalogue
from app.kernel.catalogue.schemas import list_types, schema_of

PUBLISHED = Path(__file__).parents[3] / "docs" / "api" / "events.json"
DONE = "onboarding.task.completed"


@pytest.fixture(scope="module", autouse=True)
def _declared() -> None:
    declare_events()


@pytest.fixture
def published() -> dict[str, Any]:
    return copy.deepcopy(json.loads(PUBLISHED.read_text("utf-8")))


def version(catalogue: dict[str, Any], number: str = "1") -> dict[str, Any]:
    found: dict[str, Any] = catalogue["types"][DONE]["versions"][number]
    return found


class TestCatalogue:
    def test_is_committed_as_this_build_announces(self, published):
        assert make_catalogue(published) == published, "docs/api/events.json is old: `make events` renews it"

    def test_says_of_each_event_what_it_is(self, published):
        for name, each in published["types"].items():
            schema = each["versions"][str(each["current"])]
            jsonschema_rs.meta.validate(schema)
            assert schema["description"], name
            assert schema["required"] == sorted(schema["properties"]), name

    def test_keeps_every_version_that_was_published(self, published):
        newest = version(published)
        published["types"][DONE]["versions"]["0"] = {"title": "as it was"}
        assert make_catalogue(published)["types"][DONE]["versions"] == {"0": {"title": "as it was"}, "1": newest}

    def test_is_refused_where_readers_would_miss_something(self, published):
        version(published)["properties"] |= {"minutes": {"type": "integer"}, "task": {"enum": ["one"]}}
        with pytest.raises(EventsBroken) as refused:
            make_catalogue(published)
        assert refused.value.told == [
            f"{DONE} 1: “task” may hold what it could not hold before. Keep it, or raise the event's version to 2.",
            f"{DONE} 1: “minutes” is gone. Keep it, or raise the event's version to 2.",
        ]

    def test_is_refused_where_an_event_is_gone_or_an_old_one_again(self, published):
        published["types"]["onboarding.forgotten"] = {"subject": "onboarding", "current": 1, "versions": {}}
        published["types"][DONE]["versions"]["2"] = version(published)
        with pytest.raises(EventsBroken) as refused:
            make_catalogue(published)
        assert refused.value.told == [
            f"{DONE}: version 2 was published, this would be 1 again.",
            "onboarding.forgotten is announced no more, and who waits for it waits in vain.",
        ]


class TestCommand:
    def test_lists_every_type_with_its_version_and_when_it_happens(self, capsys):
        assert run_events(["list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(list_types())
        assert any(line.split(maxsplit=2) == [DONE, "1", "A task is done, with its evidence."] for line in lines)

    def test_writes_one_schema_and_helps_with_its_name(self, capsys):
        assert main(["events", "schema", DONE]) == 0
        [kind] = [each for each in list_types() if each.type == DONE]
        assert json.loads(capsys.readouterr().out) == schema_of(kind)
        assert main(["events", "schema", "onboarding.task.complete"]) == 1
        assert "Did you mean “onboarding.task.completed”?" in capsys.readouterr().err

    def test_goes_on_from_what_was_published(self, capsys):
        assert main(["events", "catalogue", "--since", str(PUBLISHED)]) == 0
        assert capsys.readouterr().out == PUBLISHED.read_text("utf-8")

    @pytest.mark.parametrize("text", [None, "", "[]", "{", '{"types": 3}', "\0"])
    def test_says_when_a_file_is_no_catalogue(self, tmp_path, capsys, text):
        file = tmp_path / "events.json"
        if text is not None:
            file.write_text(text)
        assert main(["events", "catalogue", "--since", str(file)]) == 1
        assert "catalogue" in capsys.readouterr().err
