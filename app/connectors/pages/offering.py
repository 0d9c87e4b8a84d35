"""Connectors as forms: the ways that each offers, with one place for each thing that a person has to give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request

from app.connectors.auth.schemes import AuthorizationCode, Scheme
from app.connectors.kit.manifest import Manifest
from app.connectors.kit.runner import Runner
from app.web.begin import runtime_of
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
FIELD: Final = "auth_"  # before the name of a plain field, so that no secret is called like it
FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "client_id": (mark("Client ID"), mark("As the other system shows it for your app. It is no secret.")),
    "key_id": (mark("Key ID"), mark("Where the other system knows several keys of yours.")),
    "issuer": (mark("Issuer"), mark("The name of the service account or app that signs.")),
    "subject": (mark("On behalf of"), mark("The user in whose name it acts, where the other system asks for one.")),
    "region": (mark("Region"), mark("As the other system calls it, such as eu-central-1.")),
}


def manifests_of(request: PageRequest) -> dict[str, Manifest]:
    """Every connector of this installation, by provider."""
    return runtime_of(request).service(Runner).registry.manifests()


def offer(manifest: Manifest) -> dict[str, Any]:
    """A connector as forms, one for each way in."""
    several = len(manifest.ways) > 1
    return {
        "connector": manifest.provider,
        "title": manifest.title,
        "ways": [
            {
                "way": name,
                "label": scheme.label,
                "prefix": f"{manifest.provider}-{name}-" if several else f"{manifest.provider}-",
                "fields": fields_of(manifest, scheme),
                "asks_there": isinstance(scheme, AuthorizationCode),
            }
            for name, scheme in manifest.ways.items()
        ],
    }


def fields_of(manifest: Manifest, scheme: Scheme, *, required: bool = True) -> list[dict[str, Any]]:
    """What a person gives for a way: plain texts first, then secrets."""
    plain = [
        {
            "id": FIELD + name,
            "label": FIELDS[name][0],
            "type": "text",
            "required": required and name not in scheme.may_ask,
            "help": FIELDS[name][1],
            "translated": True,
        }
        for name in scheme.fields
    ]
    slots = [(slot, manifest.secrets[slot]) for slot in scheme.slots]
    return plain + [
        {"id": slot, "label": kept.label, "type": "secret", "required": required, "help": kept.purpose}
        for slot, kept in slots
    ]
