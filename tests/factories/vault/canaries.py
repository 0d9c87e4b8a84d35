"""Canaries: secrets of which every spelling is looked for wherever something is kept or told."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis

from tests import cluster

_ANY_BASE64 = 3  # how far a value may stand from where a group of three bytes begins
_GZIP = b"\x1f\x8b\x08"


def spellings(value: bytes) -> dict[str, bytes]:
    """A value as it is written in the places where values get written."""
    found = {"plain": value, "hex": value.hex().encode(), "HEX": value.hex().upper().encode()}
    found["UTF-16"] = value.decode("latin-1").encode("utf-16-le")
    found["backwards"] = value[::-1]
    for before in range(_ANY_BASE64):
        # Whole groups only: what stands beside the value decides its first and its last letters.
        group = base64.b64encode(b"\0" * before + value)[-(-before * 4 // 3) + (before > 0) :].rstrip(b"=")[:-2]
        found[f"base64+{before}"] = group
        found[f"base64url+{before}"] = group.translate(bytes.maketrans(b"+/", b"-_"))
    with suppress(UnicodeDecodeError):
        text = value.decode()
        found["URL"] = quote(text, safe="").encode()
        found["HTML"] = html.escape(text).encode()
        found["JSON"] = json.dumps(text)[1:-1].encode()
    return {name: spelled for name, spelled in found.items() if len(spelled) >= 8}


def unpacked(source: bytes) -> Iterator[bytes]:
    """A source, and what is packed in it: gzip anywhere in it, and the members of an archive."""
    yield source
    at = source.find(_GZIP)
    while at >= 0:
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(source[at:], 1 << 24)
        at = source.find(_GZIP, at + 1)
    if source.startswith(b"PK"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(source)) as archive:
            for name in archive.namelist():
                yield archive.read(name)


@dataclass
class Canaries:
    """Values by kind, all that was told on the way, and the search."""

    values: dict[str, bytes] = field(default_factory=dict)
    told: list[tuple[str, bytes]] = field(default_factory=list)

    def plant(self, kind: str, value: str | bytes) -> None:
        """Remember a secret that must not be found."""
        raw = value.encode() if isinstance(value, str) else value
        assert len(raw) >= 12, f"{kind}: too short to be found by more than chance"
        self.values[kind] = raw

    def hear(self, where: str, said: str | bytes) -> None:
        """Remember what somebody was told."""
        self.told.append((where, said.encode("utf-8", "replace") if isinstance(said, str) else said))

    def found(self, sources: Iterable[tuple[str, bytes]]) -> list[str]:
        """`kind in source, spelling` of every canary that stands somewhere."""
        wanted = [(k, name, form) for k, value in self.values.items() for name, form in spellings(value).items()]
        hits = []
        for where, source in sources:
            for piece in unpacked(source):
                hits += [f"{kind} in {where}, {name}" for kind, name, form in wanted if form in piece]
        return list(dict.fromkeys(hits))


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table of ours in a database, whatever schema, as COPY writes it."""
    with psycopg.connect(url) as connection:
        listed = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        listed += " WHERE schemaname !~ '^(pg_|information_schema)'"
        for (name,) in connection.execute(listed).fetchall():
            with connection.cursor().copy(f"COPY (SELECT t::text FROM {name} t) TO STDOUT") as rows:  # noqa: S608 - names from the catalogue, quoted there
                yield name, b"".join(bytes(row) for row in rows)


def admin() -> psycopg.Connection[Any]:
    """The server as its superuser."""
    return psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True)


def files_of_the_server(databases: Iterable[str], since: float) -> Iterator[tuple[str, bytes]]:
    """The files of these databases and the write-ahead log, as they lie on disk; those that changed since then."""
    with admin() as server:
        server.execute("CHECKPOINT")
        folder = Path(server.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]  # SHOW has one row
        oids = {
            row[0] for row in server.execute("SELECT oid FROM pg_database WHERE datname = ANY(%s)", [list(databases)])
        }
    for place in [*(folder / "base" / str(oid) for oid in oids), folder / "pg_wal", folder / "log"]:
        for file in place.rglob("*"):
            if file.is_file() and file.stat().st_mtime >= since:
                yield str(file.relative_to(folder)), file.read_bytes()


def valkey(url: str) -> Iterator[tuple[str, bytes]]:
    """Every key and value of every logical database, and what the server has written to disk."""
    for number in range(256):
        client = redis.Redis.from_url(_with_db(url, number))
        for key in client.scan_iter(count=1000):
            yield f"valkey {number}: {key!r}", key + b"\n" + _value(client, key)
    folder = str(client.config_get("dir")["dir"])
    for file in Path(folder).glob("*.[ra][do][bf]"):
        yield file.name, file.read_bytes()


def _with_db(url: str, number: int) -> str:
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("db=")]
    return f"{base}?{'&'.join([*kept, f'db={number}'])}"


def _value(client: redis.Redis, key: bytes) -> bytes:
    readers = {
        "string": lambda: client.get(key),
        "list": lambda: client.lrange(key, 0, -1),
        "set": lambda: client.smembers(key),
        "hash": lambda: client.hgetall(key),
        "zset": lambda: client.zrange(key, 0, -1),
        "stream": lambda: client.xrange(key),
    }
    value = readers.get(_text(client.type(key)), lambda: b"")()
    return value if isinstance(value, bytes) else repr(value).encode()


def _text(word: bytes | str) -> str:
    return word.decode() if isinstance(word, bytes) else word


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()


def packed(value: bytes) -> bytes:
    """Some text with the value in it, compressed: what a search must see through."""
    return gzip.compress(b"before " + value + b" after")
