"""Answers a connector's requests by files: what the runner asks as a method and a path is done in an SFTP folder.

So error table, levels, budgets, look-ups and unknown outcomes are the same for files as for any API. Statuses are
those of HTTP; the paths are `/folder` and `/files/{name}`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from app.connectors.auth.schemes import SshLogin
from app.connectors.auth.signing import SecretNotStored
from app.connectors.files.sftp import (
    Door,
    FileMissing,
    FileUnfit,
    RemoteFolder,
    SignInRefused,
    fingerprint_of,
    open_folder,
)
from app.connectors.files.tables import TableShape, TableUnreadable, read_table, write_table
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.settings import SettingsUnfit
from app.kernel.outbound.client import OutboundClient, OutboundRequest, OutboundResponse, PeerOutcomeUnknown
from app.vault.secret import Secret

__all__ = ["FileLine", "fingerprint_of"]
SSH_PORT: Final = 22
_FILES: Final = "/files/"
Answered = tuple[int, dict[str, Any]]  # status and document; Any: JSON


class FileLine:
    """One for a process; safe to share between threads. Each request is a session of its own."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    def send(self, connector: Connector, call: ActionCall, request: OutboundRequest) -> OutboundResponse:
        """Do what is asked, and say how it went.

        Raises EgressRefused, SettingsUnfit, SecretNotStored, PeerUnreachable, PeerOutcomeUnknown.
        """
        began = time.monotonic()
        settings = call.config.settings
        shape = _shape(settings)
        door = _door(connector, call)
        folder = str(settings.get("folder", ""))
        status, document = 200, dict[str, Any]()
        try:
            with open_folder(self._client, door, folder, seconds=request.timeout, sandbox=request.sandbox) as remote:
                status, document = _done(remote, request, shape, unsure=call.earlier_unknown)
        except SignInRefused as error:
            status, document = 401, {"error": error.message}
        content = json.dumps(document, ensure_ascii=False).encode()
        return OutboundResponse(status, {"content-type": "application/json"}, content, time.monotonic() - began)


def _done(remote: RemoteFolder, request: OutboundRequest, shape: TableShape, *, unsure: bool) -> Answered:
    path = unquote(urlsplit(request.url).path)
    name = path.removeprefix(_FILES)
    try:
        if path == "/folder":
            return 200, {"files": [{"name": e.name, "size": e.size, "changed": e.changed} for e in remote.list()]}
        if request.method == "GET":
            return 200, _fetched(remote, name, request.max_bytes, shape)
        return _put(remote, name, request, shape, unsure=unsure)
    except (FileMissing, TableUnreadable, FileUnfit) as error:
        return _STATUS[type(error)], {"error": error.message}
    except PermissionError:
        return 403, {"error": "The server does not let this user do that."}
    except FileNotFoundError:
        return 404, {"error": "There is no such folder."}


_STATUS: Final[dict[type, int]] = {FileMissing: 404, FileUnfit: 409, TableUnreadable: 422}


def _fetched(remote: RemoteFolder, name: str, most: int, shape: TableShape) -> dict[str, Any]:
    digest = hashlib.sha256()

    def told() -> Iterator[bytes]:
        for chunk in remote.read(name, most):
            digest.update(chunk)
            yield chunk

    table = read_table(told(), shape)
    return {"name": name, "digest": digest.hexdigest(), **msgspec.to_builtins(table)}


def _put(remote: RemoteFolder, name: str, request: OutboundRequest, shape: TableShape, *, unsure: bool) -> Answered:
    """Write the rows, unless the very same file is there: a second time has no second effect.

    `unsure`: an earlier attempt may have got through. Then a file that is nowhere may have been picked up already.
    Raises PeerOutcomeUnknown.
    """
    asked = json.loads(request.content)
    content = write_table(asked["rows"], shape)
    digest = hashlib.sha256(content).hexdigest()
    told = {"name": name, "digest": digest, "size": len(content), "rows": len(asked["rows"])}
    there = remote.find(name)
    if there is not None:
        if there.size == len(content) and remote.digest(name, len(content)) == digest:
            return 200, {**told, "written": False}
        if not asked.get("replace"):
            return 409, {"error": f"Another file {name} is there already."}
    if unsure and there is None and not remote.has_part(name, digest):
        said = f"{name} is nowhere: it may have been picked up already. It is not written again."
        raise PeerOutcomeUnknown(said, "broken")
    remote.put(name, content, replace=there is not None)
    return 200, {**told, "written": True}


def _shape(settings: Mapping[str, Any]) -> TableShape:
    given = {name: settings[name] for name in ("columns", "encoding", "delimiter", "most_rows") if name in settings}
    try:
        return msgspec.convert(given, TableShape)
    except msgspec.ValidationError as error:
        raise SettingsUnfit(f"The columns of the connection cannot be used: {error}.") from None


def _door(connector: Connector, call: ActionCall) -> Door:
    settings, way = call.config.settings, connector.manifest.way(call.auth)
    slot = way.password or way.key if isinstance(way, SshLogin) else ""
    secret = call.secrets.get(slot)
    if not isinstance(way, SshLogin) or secret is None:
        raise SecretNotStored(f"The connection has no {slot or 'password'} yet; store it, then start the action again.")
    held: dict[str, Secret] = {"password" if way.password else "key": secret}
    return Door(
        host=str(settings["host"]),
        port=int(settings.get("port", SSH_PORT)),
        ports=connector.manifest.egress.ports,
        user=str(settings["user"]),
        fingerprint=str(settings.get("fingerprint", "")),
        **held,
    )
