"""The AsyncAPI document: committed as it is made, sound in itself, and true of what is really sent."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from app.bootstrap.commands.events import declare_events, run_events
from app.connectors.webhooks.asyncapi import make_asyncapi
from app.connectors.webhooks.envelope import VERIFICATION, Happened, write_challenge, write_event
from app.kernel.ids import new_id

API = Path(__file__).parents[4] / "docs" / "api"
NOW = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
TENANT = UUID("0195c8a0-0000-7000-8000-000000000001")
BY_TYPE: dict[str, Any] = {"string": "something", "integer": 7, "number": 7.5, "boolean": True, "null": None}
BY_FORMAT = {"uuid": str(TENANT), "date": "2026-03-02", "date-time": "2026-03-02T09:00:00Z", "decimal": "12.50"}


@pytest.fixture(scope="module")
def catalogue() -> dict[str, Any]:
    declare_events()
    found: dict[str, Any] = json.loads((API / "events.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def document(catalogue) -> dict[str, Any]:
    return make_asyncapi(catalogue)


def payload_of(document, name):
    """A message's payload as a schema that stands alone."""
    return document["components"]["messages"][name]["payload"] | {"components": document["components"]}


def an_example(schema: dict[str, Any]) -> Any:
    """The simplest value of a schema of the catalogue."""
    if "anyOf" in schema:
        return an_example(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: an_example(each) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [an_example(schema["items"])] if isinstance(schema.get("items"), dict) else []
    return BY_FORMAT.get(schema.get("format", ""), BY_TYPE.get(schema.get("type", "null")))


def happened(name, told, *, onboarding=True):
    body = an_example(told["versions"][str(told["current"])])
    onboarding_id = new_id() if onboarding else None
    return Happened(new_id(), name, NOW, told["subject"], new_id(), onboarding_id, "0af7651916cd43dd", body)


class TestDocument:
    def test_is_committed_as_this_build_makes_it(self, capsys):
        assert run_events(["asyncapi", "--since", str(API / "events.json")]) == 0
        made = capsys.readouterr().out
        assert made == (API / "asyncapi.json").read_text("utf-8"), "docs/api/asyncapi.json is old: `make events`"

    def test_has_a_message_for_each_type_and_the_verification(self, catalogue, document):
        assert {*document["channels"]["endpoint"]["messages"]} == {*catalogue["types"], VERIFICATION}
        sent = [each["$ref"] for operation in document["operations"].values() for each in operation["messages"]]
        assert len(sent) == len({*sent}) == len(catalogue["types"]) + 1

    def test_leads_nowhere_but_into_itself(self, document):
        for ref in refs_of(document):
            at: Any = document
            for part in ref.removeprefix("#/").split("/"):
                assert part in at, ref
                at = at[part]

    def test_holds_schemas_of_draft_7_and_of_2020_12_alike(self, document):
        messages = document["components"]["messages"]
        for schema in (*document["components"]["schemas"].values(), *(each["payload"] for each in messages.values())):
            assert "$schema" not in schema
            for dialect in ("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"):
                jsonschema_rs.meta.validate({"$schema": dialect} | schema)

    def test_keeps_what_older_versions_said(self, catalogue):
        changed = copy.deepcopy(catalogue)
        told = changed["types"]["onboarding.task.completed"]
        told["versions"]["2"] = told["versions"]["1"]
        told["current"] = 2
        made = make_asyncapi(changed)["components"]
        own = made["messages"]["onboarding.task.completed"]["payload"]["allOf"][1]["properties"]
        name = "#/components/schemas/onboarding.task.completed"
        assert own["data"] == {"anyOf": [{"$ref": f"{name}.2"}, {"$ref": f"{name}.1"}]}

    def test_names_nobody_whose_platform_it_is(self, document):
        assert "slipway" not in json.dumps(document).lower()


class TestMessages:
    """Every type, as it is really written."""

    def test_are_what_is_sent(self, catalogue, document):
        for number, (name, told) in enumerate(catalogue["types"].items()):
            event = happened(name, told, onboarding=number % 2 == 0)
            sent = json.loads(write_event(TENANT, event, sequence=number if event.onboarding_id else None, thin=False))
            jsonschema_rs.validator_for(payload_of(document, name) | DIALECT).validate(sent)

    def test_say_nothing_of_a_thin_event_but_that_it_happened(self, catalogue, document):
        name = "onboarding.task.completed"
        sent = json.loads(write_event(TENANT, happened(name, catalogue["types"][name]), sequence=3, thin=True))
        jsonschema_rs.validator_for(payload_of(document, name) | DIALECT).validate(sent)

    def test_ask_for_a_code(self, document):
        sent = json.loads(write_challenge(TENANT, new_id(), NOW, "ABCD2345"))
        jsonschema_rs.validator_for(payload_of(document, VERIFICATION) | DIALECT).validate(sent)

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"type": "onboarding.task.opened"}, {"data": {}}, {"data": None}, {"specversion": "0.3"}),
            *({"sequence": 3}, {"subject": "deal/1"}, {"source": "https://elsewhere.example"}),
        ],
    )
    def test_are_held_to_it(self, catalogue, document, wrong):
        name = "onboarding.task.completed"
        sent = json.loads(write_event(TENANT, happened(name, catalogue["types"][name]), sequence=3, thin=False))
        assert not jsonschema_rs.validator_for(payload_of(document, name) | DIALECT).is_valid(sent | wrong)


DIALECT = {"$schema": "http://json-schema.org/draft-07/schema#"}


def refs_of(part: Any) -> list[str]:
    if isinstance(part, list):
        return [ref for each in part for ref in refs_of(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [ref for each in part.values() for ref in refs_of(each)]
