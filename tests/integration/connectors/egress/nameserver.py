"""A name server on loopback whose answers change between two questions, and a resolver that asks it. Not a test."""

from __future__ import annotations

import itertools
import random
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

# What a name is at the first question, the second, …; the last answer stays. An answer of letters is another name.
Zone = Mapping[str, Sequence[Sequence[str]]]


class NameServer(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Answers over UDP and TCP by a zone, every record with a TTL of 0."""

    def __init__(self) -> None:
        self.serve({})

    def serve(self, zone: Zone) -> None:
        """Begin anew, with these names."""
        self.zone = zone
        self.asked: list[tuple[str, str]] = []
        self._turns: dict[tuple[str, str], Iterator[Sequence[str]]] = {}

    def resolve(self, request: Any, _handler: Any) -> Any:
        """dnslib's own hook: the reply to a question."""
        reply = request.reply()
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        self.asked.append((name, kind))
        if name not in self.zone:
            reply.header.rcode = RCODE.NXDOMAIN
            return reply
        for answer in self._turn(name, kind):
            record = _record(answer, kind)
            if record is not None:
                reply.add_answer(RR(request.q.qname, QTYPE.reverse[record[0]], ttl=0, rdata=record[1]))
        return reply

    def _turn(self, name: str, kind: str) -> Sequence[str]:
        answers = self.zone[name]
        turn = self._turns.setdefault((name, kind), itertools.chain(answers, itertools.repeat(answers[-1])))
        return next(turn)


def _record(answer: str, kind: str) -> tuple[str, Any] | None:
    if answer[-1].isalpha() and "." in answer:
        return "CNAME", CNAME(answer)
    if (":" in answer) == (kind == "AAAA"):
        return kind, AAAA(answer) if kind == "AAAA" else A(answer)
    return None


@contextmanager
def name_server() -> Iterator[tuple[NameServer, WireResolver]]:
    """Serve on both transports of one port; yields the server and a resolver that asks it over the wire."""
    answers = NameServer()
    servers = _on_both_transports(answers)
    for server in servers:
        threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield answers, WireResolver(servers[0].server.server_address[1])
    finally:
        for server in servers:
            server.server.shutdown()
            server.server.server_close()


def _on_both_transports(answers: NameServer) -> list[Any]:
    for _try in range(20):
        udp = DNSServer(answers, address="127.0.0.1", port=0)
        port = udp.server.server_address[1]
        try:
            return [udp, DNSServer(answers, address="127.0.0.1", port=port, tcp=True)]
        except OSError:  # somebody else has this number for TCP
            udp.server.server_close()
    raise OSError("no number is free for both transports")


class WireResolver:
    """Asks for A and AAAA as a stub resolver does, follows aliases, remembers nothing; every other time by TCP."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tcp = itertools.cycle((False, True))

    def __call__(self, host: str, _port: int) -> list[str]:
        """Every address of a name. Raises OSError."""
        found = [address for kind in ("A", "AAAA") for address in self._ask(host, kind, 0)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        random.shuffle(found)
        return found

    def _ask(self, name: str, kind: str, depth: int) -> list[str]:
        if depth > 8:
            raise socket.gaierror(socket.EAI_FAIL, "too many aliases")
        raw = DNSRecord.question(name, kind).send("127.0.0.1", self._port, tcp=next(self._tcp), timeout=2)
        reply = DNSRecord.parse(raw)
        found = [str(each.rdata) for each in reply.rr if QTYPE[each.rtype] == kind]
        aliases = [str(each.rdata).rstrip(".") for each in reply.rr if QTYPE[each.rtype] == "CNAME"]
        return found + [address for alias in aliases for address in self._ask(alias, kind, depth + 1)]
