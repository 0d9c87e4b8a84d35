"""The catalogue and the envelope as an AsyncAPI 3.0.0 document: what is sent to endpoints, for software that reads it.

Its schemas are of the dialect that AsyncAPI has by itself, a superset of JSON Schema draft 7. The words that events are
described with mean the same there and in 2020-12, so the catalogue's schemas stand here without their dialect's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.connectors.webhooks.envelope import MEDIA_TYPE, VERIFICATION
from app.kernel.catalogue.document import Catalogue
from app.kernel.catalogue.schemas import Schema

_ASYNCAPI: Final = "3.0.0"
_VERSION: Final = "1"  # of what is sent, as of the API: /api/v1
_ENVELOPE: Final = "CloudEvent"
_HEADERS: Final = "StandardWebhooksHeaders"


def make_asyncapi(catalogue: Catalogue) -> dict[str, Any]:
    """The document: one channel, whatever may be sent to it, and each message in full."""
    types: Mapping[str, Any] = catalogue["types"]
    messages = {name: _event(name, each) for name, each in types.items()} | {VERIFICATION: _verification()}
    return {
        "asyncapi": _ASYNCAPI,
        "info": {"title": "Webhooks", "version": _VERSION, "description": _ABOUT},
        "defaultContentType": MEDIA_TYPE,
        "channels": {"endpoint": _channel([*messages])},
        "operations": {
            "sendEvent": _sending("An event that the endpoint hears is sent to it.", [*types]),
            "sendVerification": _sending("A new address is asked to give back a code.", [VERIFICATION]),
        },
        "components": {"messages": messages, "schemas": _schemas(types)},
    }


def _channel(messages: list[str]) -> dict[str, Any]:
    return {
        "address": None,
        "title": "A webhook endpoint",
        "description": "An https address that you name. Each message is a POST; an answer of 200 to 299 takes it.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _sending(summary: str, messages: list[str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/endpoint"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/endpoint/messages/{name}"} for name in messages],
    }


def _event(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """An event's message; what was announced before a new version came is sent as it was."""
    newest_first = sorted(told["versions"], key=int, reverse=True)
    refs = [{"$ref": f"#/components/schemas/{name}.{number}"} for number in newest_first]
    own = {
        "type": {"const": name},
        "subject": {"type": "string", "pattern": f"^{told['subject']}/"},
        "data": refs[0] if len(refs) == 1 else {"anyOf": refs},
    }
    summary = told["versions"][str(told["current"])].get("description", "").partition("\n")[0]
    return _message(name, summary, own, ["correlationid", "subject"])


def _verification() -> dict[str, Any]:
    asked = {
        "type": "object",
        "properties": {"challenge": {"type": "string", "description": "The code, to be given back in the answer."}},
        "required": ["challenge"],
    }
    summary = "The address is asked to prove that it may receive: answer with the code."
    return _message(VERIFICATION, summary, {"type": {"const": VERIFICATION}, "data": asked}, ["data"])


def _message(name: str, summary: str, own: dict[str, Any], required: list[str]) -> dict[str, Any]:
    told = {"type": "object", "properties": own, "required": required}
    return {
        "name": name,
        "summary": summary,
        "contentType": MEDIA_TYPE,
        "headers": {"$ref": f"#/components/schemas/{_HEADERS}"},
        "payload": {"allOf": [{"$ref": f"#/components/schemas/{_ENVELOPE}"}, told]},
    }


def _schemas(types: Mapping[str, Any]) -> dict[str, Any]:
    bodies = {
        f"{name}.{number}": _without_dialect(schema)
        for name, told in types.items()
        for number, schema in told["versions"].items()
    }
    return {_ENVELOPE: _CLOUD_EVENT, _HEADERS: _STANDARD_WEBHOOKS} | bodies


def _without_dialect(schema: Schema) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word != "$schema"}


_ABOUT: Final = (
    "What is sent to the endpoints of a workspace: CloudEvents 1.0 in structured JSON, signed by Standard Webhooks."
    " A message may come twice and out of order; `webhook-id` is the same at every try. Fields may be added with time."
    " A body holds each of its fields, save those whose values were erased since."
)


def _text(description: str, **more: str) -> dict[str, str]:
    return {"type": "string", "description": description} | more


_CLOUD_EVENT: Final = {
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _text("The event's id, as in `webhook-id`: the same at every try and every repetition.", format="uuid"),
        "source": _text("The workspace.", format="uri-reference", pattern="^/tenants/"),
        "type": _text("What happened."),
        "subject": _text("What it happened to: its kind and its id."),
        "time": _text("When it happened.", format="date-time"),
        "datacontenttype": {"const": "application/json"},
        "correlationid": _text("The same for all that came of one cause."),
        "partitionkey": _text("The onboarding's id, of an event that belongs to one.", format="uuid"),
        "sequence": _text("The event's number in its onboarding: greater means later.", pattern="^[0-9]{12,}$"),
        "data": {"type": "object", "description": "What the event says; not sent to a thin endpoint."},
    },
    "required": ["specversion", "id", "source", "type", "time", "datacontenttype"],
}
_STANDARD_WEBHOOKS: Final = {
    "type": "object",
    "properties": {
        "webhook-id": _text("The message's id: who has seen it has seen this message.", format="uuid"),
        "webhook-timestamp": _text("When this try was made, in seconds since 1970.", pattern="^[0-9]+$"),
        "webhook-signature": _text("Each as `v1,…` (HMAC-SHA256) or `v1a,…` (Ed25519), with blanks between them."),
    },
    "required": ["webhook-id", "webhook-signature", "webhook-timestamp"],
}
