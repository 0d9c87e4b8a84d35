"""What a manifest's schema cannot say: names that lead nowhere, promises that a strategy does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.connectors.auth.schemes import AuthorizationCode, absolute
from app.connectors.kit import webhooks as hooks
from app.connectors.kit.answers.mapping import MappingWrong, compile_expression, fields_named
from app.connectors.kit.graphql.documents import flaws_of_document
from app.connectors.kit.manifest import Action, Manifest, ManifestWrong, RequestShape, load_manifest
from app.connectors.kit.settings import CONFIG, placeholders_of_config, weak_place

# {name}, {config.name} and, in a path, {+config.name}.
_PLACEHOLDER: Final = re.compile(r"\{\+?(?:config\.)?[a-z][a-z0-9_]{1,39}\}")

Fault = tuple[str, str]  # where in the manifest, and what is wrong there


def read_manifest(path: Path) -> Manifest:
    """Read and check `manifest.yaml`. Raises ManifestWrong with the first place in the text."""
    manifest = load_manifest(path)
    for place, sentence in contradictions(manifest):
        raise ManifestWrong(f"{path}: /{place}: {sentence}")
    return manifest


def contradictions(manifest: Manifest) -> Iterator[Fault]:
    """Every contradiction of a manifest that fits its schema."""
    yield from _of_address(manifest)
    yield from _of_auth(manifest)
    verify = manifest.actions.get(manifest.verify)
    if verify is None or verify.effect != "read" or verify.input.get("required"):
        yield "verify", "must name a read action without required input"
    if manifest.webhooks:
        yield from ((f"webhooks/{at}", said) for at, said in hooks.contradictions(manifest.webhooks, manifest.secrets))
    for name, action in manifest.actions.items():
        checks = (_of_outcome, _of_request, _of_answer, _of_paging, _of_graphql, _of_compensation)
        yield from ((f"actions/{name}", said) for check in checks for said in check(manifest, action))


def _of_address(manifest: Manifest) -> Iterator[Fault]:
    address = urlsplit(manifest.address)
    if address.scheme != manifest.transport:
        yield "address", f"does not begin with {manifest.transport}://, the transport"
    if address.netloc.partition(":")[0] not in manifest.egress.hosts:
        yield "address", "its host is not among egress.hosts"
    if address.port not in {None, 443, *manifest.egress.ports}:
        yield "address", "its port is not among egress.ports"
    if manifest.config.get("additionalProperties", True) is not False:
        yield "config", "must say additionalProperties: false"
    for host in manifest.egress.hosts:
        yield from ((f"config/properties/{name}", said) for name in placeholders_of_config(host)
                    if (said := weak_place(manifest.config, name)))  # fmt: skip
    known = set(manifest.config.get("properties", {}))
    named = placeholders_of_config(manifest.address, manifest.headers, *manifest.egress.hosts)
    yield from (("address", f"{{{CONFIG}{name}}} is no property of config") for name in sorted(named - known))


def _of_auth(manifest: Manifest) -> Iterator[Fault]:
    ways = manifest.auth if isinstance(manifest.auth, tuple) else (manifest.auth,)
    if len(manifest.ways) != len(ways):
        yield "auth", "two ways have one name"
    for way in ways:
        where = f"auth/{way.way}" if way.way else "auth"
        for slot in way.slots:
            if (kept := manifest.secrets.get(slot)) is None:
                yield where, f"the secret {slot} is not among secrets"
            elif kept.opened_by != "run":
                yield where, f"the secret {slot} must be opened by a run"
        for place, url in way.urls.items():
            called = urlsplit(absolute(manifest.address, url))
            if place != "authorize_url" and called.hostname not in manifest.egress.hosts:
                yield f"{where}/{place}", "its host is not among egress.hosts"
            elif called.port not in {None, 443, *manifest.egress.ports}:
                yield f"{where}/{place}", "its port is not among egress.ports"
        if isinstance(way, AuthorizationCode) and (way.client_auth == "none") == bool(way.client_secret):
            yield where, "a client_secret and client_auth: none exclude each other"


def _of_outcome(manifest: Manifest, action: Action) -> Iterator[str]:
    makes = action.request.method == "POST" and action.effect != "destructive" and action.graphql is None
    if action.idempotency == "same" and makes:
        yield "a POST makes one more each time: say how a second one is prevented"
    if action.on_unknown == "resend" and action.effect != "read" and not action.repeatable:
        yield "resend needs an idempotency header: a second request would be a second effect"
    if action.level == "read" and action.effect != "read":
        yield "an action with an effect needs the access draft or write"
    if not action.lookup_action:
        if action.on_unknown == "lookup":
            yield "on_unknown: lookup needs a lookup"
        return
    lookup = manifest.actions.get(action.lookup_action)
    if lookup is None or lookup.effect != "read":
        yield "its lookup must name a read action"
    elif lookup.paging is not None:
        yield "its lookup must not be paged: both must fit into one attempt"
    elif not set(lookup.input.get("required", [])) <= set(action.input["properties"]):
        yield "its lookup needs input that this action does not have"


def _of_request(manifest: Manifest, action: Action) -> Iterator[str]:
    known = {*action.input["properties"], *action.derive}
    named = placeholders(action.request)
    settings = placeholders_of_config(action.request.path, action.request.query, action.request.headers,
                                      action.request.body)  # fmt: skip
    yield from (f"the request names {{{field}}}, which is no field of the input" for field in sorted(named - known))
    yield from (
        f"the request names {{{CONFIG}{name}}}, which is no property of config"
        for name in sorted(settings - set(manifest.config.get("properties", {})))
    )
    if action.request.encoding == "form" and isinstance(action.request.body, str):
        yield "a form is made of fields: its body must be an object"
    yield from (f"“{text}” would be sent as it stands: a placeholder is the whole value, so make it with `derive`"
                for text in sorted(_half_filled(action.request)))  # fmt: skip
    if wrong := list(_unreadable(action.derive.values())):
        yield from wrong
    elif action.input.get("additionalProperties") is False:
        unknown = set[str]().union(*map(fields_named, action.derive.values())) - set(action.input["properties"])
        yield from (f"derive names {field}, which is no field of the input" for field in sorted(unknown))


def _half_filled(part: object) -> set[str]:
    """Texts of a request that hold a placeholder among other letters."""
    if isinstance(part, RequestShape):
        return set[str]().union(*map(_half_filled, (part.path.split("/"), part.query, part.headers, part.body)))
    if isinstance(part, dict | list):
        return set[str]().union(*map(_half_filled, part.values() if isinstance(part, dict) else part))
    if not isinstance(part, str) or _PLACEHOLDER.fullmatch(part):
        return set()
    return {part} if 0 < part.count("{") == len(_PLACEHOLDER.findall(part)) else set()  # other braces: another language


def _of_answer(_manifest: Manifest, action: Action) -> Iterator[str]:
    yield from _unreadable([action.transform] if action.transform else [])
    for rule in action.errors:
        if rule.status < 300 and rule.at is None and rule.contains is None and not rule.code:  # noqa: PLR2004  2xx is success
            yield "a rule for a status of success must say what in the answer makes it an error"
        if rule.code and action.graphql is None:
            yield "a code is that of an error of GraphQL: this action asks otherwise"
        if rule.at is not None and rule.header is not None:
            yield "a rule looks at a place in the body or at a header, not at both"
    if action.mapped.answer and action.mapped.answer not in action.output["properties"]:
        yield "mapped.answer is no field of the output"
    if action.mapped.request and action.mapped.request not in action.input["properties"]:
        yield "mapped.request is no field of the input"


def _of_paging(_manifest: Manifest, action: Action) -> Iterator[str]:
    paging = action.paging
    if paging is None:
        return
    if action.effect != "read":
        yield "only a read can have pages"
    if "array" not in str(action.output["properties"].get(paging.items, {}).get("type")):
        yield f"paging.items: the output has no list {paging.items}"
    if paging.kind in {"cursor", "offset"} and not paging.param:
        yield f"paging by {paging.kind} needs the param that carries it"
    if paging.kind == "connection" and (action.graphql is None or not paging.param or not paging.page_info):
        yield "paging by connection is for GraphQL, and needs the param, a variable, and the place of its page_info"
    if paging.kind in {"cursor", "next_url"} and not paging.next:
        yield f"paging by {paging.kind} needs `next`, the place of it in the answer"


def _of_graphql(_manifest: Manifest, action: Action) -> Iterator[str]:
    if action.graphql is not None and isinstance(action.request.body, dict):
        yield from flaws_of_document(action.graphql, str(action.request.body["query"]), action.effect)


def _of_compensation(manifest: Manifest, action: Action) -> Iterator[str]:
    if not action.compensate:
        return
    undo = manifest.actions.get(action.compensate)
    if undo is None or undo.effect == "read":
        yield "compensate must name an action with an effect"
    elif not set(undo.input.get("required", [])) <= {*action.input["properties"], *action.output["properties"]}:
        yield "its compensation needs input that this action neither takes nor gives"


def _unreadable(expressions: object) -> Iterator[str]:
    for expression in expressions if hasattr(expressions, "__iter__") else ():
        try:
            compile_expression(str(expression))
        except MappingWrong as error:
            yield str(error)


def placeholders(part: object) -> set[str]:
    """The input fields that a request, or a part of it, names."""
    if isinstance(part, RequestShape):
        return placeholders(part.path.split("/")) | placeholders(part.query) | placeholders(part.body)
    if isinstance(part, dict):
        return set[str]().union(*(placeholders(value) for value in part.values()))
    if isinstance(part, list):
        return set[str]().union(*(placeholders(value) for value in part))
    is_field = isinstance(part, str) and part.startswith("{") and part.endswith("}") and CONFIG not in part
    return {str(part)[1:-1]} if is_field else set()
