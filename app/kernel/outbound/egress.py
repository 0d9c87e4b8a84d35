"""The egress guard: which URL may be called, and at which vetted address (DESIGN 9). Opens no connection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import idna

from app.kernel.errors import Invalid
from app.kernel.outbound.refusals import DENIED, LEADS_INSIDE, EgressRefused, refuse

__all__ = ["DENIED", "EgressRefused", "refuse"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Gives every address of a name as text; raises OSError where the name cannot be resolved.
Resolver = Callable[[str, int], Sequence[str]]

LONGEST_URL = 4096
HTTPS_PORT = 443

# What is never a peer on the internet, with the name of the rule that says so. First match wins.
_FORBIDDEN_V4 = [
    ("cloud_metadata", "169.254.169.254/32 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32"),
    ("this_network", "0.0.0.0/8"),
    ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
    ("shared_carrier", "100.64.0.0/10"),
    ("loopback", "127.0.0.0/8"),
    ("link_local", "169.254.0.0/16"),
    ("protocol_assignment", "192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24"),
    ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24"),
    ("benchmarking", "198.18.0.0/15"),
    ("multicast", "224.0.0.0/4"),
    ("reserved", "240.0.0.0/4"),
]
_FORBIDDEN_V6 = [
    ("cloud_metadata", "fd00:ec2::254/128 fd20:ce::254/128"),
    ("loopback", "::1/128"),
    ("this_network", "::/128"),
    ("embedded_ipv4", "::ffff:0:0/96 ::ffff:0:0:0/96 ::/96 64:ff9b::/96 64:ff9b:1::/48 2001::/32 2002::/16"),
    ("private", "fc00::/7"),
    ("link_local", "fe80::/10 fec0::/10"),
    ("documentation", "2001:db8::/32 3fff::/20"),
    ("benchmarking", "2001:2::/48"),
    ("protocol_assignment", "2001::/23 2620:4f:8000::/48 5f00::/16 3ffe::/16"),
    ("discard", "100::/64 100:0:0:1::/64"),
    ("multicast", "ff00::/8"),
]
_V4_TABLE = [(rule, ipaddress.IPv4Network(net)) for rule, nets in _FORBIDDEN_V4 for net in nets.split()]
_V6_TABLE = [(rule, ipaddress.IPv6Network(net)) for rule, nets in _FORBIDDEN_V6 for net in nets.split()]
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_HERE = "127.0.0.1"
_ANY_GLOBAL = "1.1.1.1"  # stands for an answer that is not known yet; nothing is sent there
# ISATAP interface identifiers hold an IPv4 address under any prefix (RFC 5214).
_ISATAP = {0x00005EFE, 0x02005EFE}

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[/?][\x21-\x7e]*)?")
_HOST = r"\[[0-9A-Fa-f:.]+\]|[^\[\]:@%]+"
_AUTHORITY = re.compile(rf"(?P<host>{_HOST})(?::(?P<port>[1-9][0-9]{{0,4}}))?")
_TARGET = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_SPECIAL = {
    *("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "onion"),
    *("test", "example", "invalid", "alt"),
}


class AddressBookWrong(Invalid):
    """The address book cannot be read, or may not be used in this installation."""


def forbidden_rule(address: Address) -> str | None:
    """The rule that forbids this address, or None for a global unicast one."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((rule for rule, net in _V4_TABLE if address in net), None)
    for rule, net in _V6_TABLE:
        if address in net:
            return rule
    if address not in _GLOBAL_UNICAST:
        return "not_global"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "embedded_ipv4"
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart by one strict grammar: host as lower-case ASCII or an IP literal, target as path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        """What stands in the Host header and in signatures."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"https": 443, "http": 80}[self.scheme] else f"{name}:{self.port}"


def parse_url(url: str) -> Target:
    """Take a URL apart. Raises EgressRefused for whatever two parsers could read in two ways."""
    if len(url) > LONGEST_URL:
        raise refuse("too_long")
    found = _URL.fullmatch(url)
    if found is None:
        raise refuse("malformed_url")
    scheme = found["scheme"].lower()
    if scheme not in {"https", "http"}:
        raise refuse("scheme")
    if "@" in found["authority"]:
        raise refuse("userinfo")
    authority = _AUTHORITY.fullmatch(found["authority"])
    if authority is None:
        raise refuse("malformed_host")
    target = found["target"] or "/"
    if not _TARGET.fullmatch(target):
        raise refuse("malformed_path")
    port = int(authority["port"] or {"https": 443, "http": 80}[scheme])
    if port > 65535:  # noqa: PLR2004  the last TCP port
        raise refuse("port")
    host = parse_host(authority["host"])
    return Target(scheme, host, port, target if target.startswith("/") else f"/{target}")


def parse_host(text: str) -> str:
    """A host name as lower-case ASCII (punycode where needed) or an IP literal in its one canonical spelling."""
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            raise refuse("malformed_host") from None
    name = _ascii_name(text)
    last = name.rsplit(".", 1)[-1]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        if not _QUAD.fullmatch(name) or any(int(part) > 255 for part in name.split(".")):  # noqa: PLR2004  an octet
            raise refuse("numeric_host", name)
        return name
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):  # noqa: PLR2004  RFC 1035
        raise refuse("malformed_host", name)
    return name


def _ascii_name(text: str) -> str:
    """Lower-case ASCII of a host name. Compatibility forms such as fullwidth digits are refused, not mapped."""
    if text.endswith("."):
        raise refuse("trailing_dot")
    lowered = text.lower()
    try:
        if lowered.isascii():
            for label in lowered.split("."):
                if label.startswith("xn--"):
                    idna.ulabel(label)
            return lowered
        return idna.encode(text.lower(), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise refuse("malformed_host") from None


@dataclass(frozen=True, slots=True)
class AddressBook:
    """The only way to a local address: exact host and port → port on 127.0.0.1, where a stand-in speaks plain HTTP."""

    entries: Mapping[tuple[str, int], int]

    @classmethod
    def parse(cls, text: str) -> AddressBook:
        """Read `api.hubapi.com:443=9101,admin.workbench.example:443=9102`. Raises AddressBookWrong."""
        entries: dict[tuple[str, int], int] = {}
        for line in filter(None, (part.strip() for part in text.split(","))):
            found = re.fullmatch(r"([a-z0-9.-]+):([1-9][0-9]{0,4})=([1-9][0-9]{0,4})", line)
            if found is None or "." not in found[1] or not all(_LABEL.fullmatch(x) for x in found[1].split(".")):
                raise AddressBookWrong(f"“{line}” is not an entry of the form host:port=local port.")
            key, local = (found[1], int(found[2])), int(found[3])
            if found[1].rsplit(".", 1)[-1].isdigit() or max(key[1], local) > 65535:  # noqa: PLR2004  the last TCP port
                raise AddressBookWrong(f"“{line}” needs a host name and ports up to 65535.")
            if entries.setdefault(key, local) != local:
                raise AddressBookWrong(f"{found[1]}:{found[2]} stands in the address book twice.")
        return cls(entries)

    def local_port(self, target: Target) -> int | None:
        """The stand-in's port, if this very host and port stand in the book."""
        return self.entries.get((target.host, target.port))


NO_ENTRIES = AddressBook({})


@dataclass(frozen=True, slots=True)
class Vetted:
    """Where to connect for a target: these addresses and no other; `tls` is off only towards a stand-in."""

    target: Target
    addresses: tuple[str, ...]
    port: int
    tls: bool

    @property
    def local(self) -> bool:
        """Whether it is a stand-in on this machine."""
        return self.addresses == (_HERE,)


def require_stand_in(url: str, book: AddressBook) -> None:
    """Go on only where the address book leads to a stand-in: a sandbox calls nobody else. Raises EgressRefused."""
    target = parse_url(url)
    if book.local_port(target) is None:
        raise refuse("sandbox")


@dataclass(frozen=True, slots=True)
class Place:
    """A host and port that is called in another way than by HTTP; `ports`: those that its manifest allows."""

    host: str
    port: int
    ports: frozenset[int]


def vet_place(place: Place, *, book: AddressBook, resolve: Resolver, sandbox: bool = False) -> Vetted:
    """Decide where a host may be called, as `vet` does for a URL. Raises EgressRefused, OSError."""
    if not re.fullmatch(_HOST, place.host):
        raise refuse("malformed_host")
    target = Target("https", parse_host(place.host), place.port, "/")
    if (local := book.local_port(target)) is not None:
        return Vetted(target, (_HERE,), local, tls=False)
    if sandbox:
        raise refuse("sandbox", target.host)
    if place.port not in place.ports:
        raise refuse("port", target.host)
    return _vet_public(target, resolve)


def vet(url: str, *, book: AddressBook, resolve: Resolver, ports: frozenset[int] = frozenset()) -> Vetted:
    """Decide where a URL may be called: every answer of the resolver must be global unicast, or none is used.

    `ports` are those of a manifest, besides 443. Raises EgressRefused, and OSError where the name does not resolve.
    """
    target = parse_url(url)
    if (local := book.local_port(target)) is not None:
        return Vetted(target, (_HERE,), local, tls=False)
    _refuse_local(target.host)
    if target.scheme != "https":
        raise refuse("plain_http", target.host)
    if target.port != HTTPS_PORT and target.port not in ports:
        raise refuse("port", target.host)
    return _vet_public(target, resolve)


def _refuse_local(host: str) -> None:
    literal = _literal(host)
    if literal is None:
        _refuse_local_name(host)
    elif (rule := forbidden_rule(literal)) is not None:
        raise refuse(rule, host)


def _vet_public(target: Target, resolve: Resolver) -> Vetted:
    _refuse_local(target.host)
    literal = _literal(target.host)
    answers = [target.host] if literal is not None else list(resolve(target.host, target.port))
    return Vetted(target, _all_global(target.host, answers), target.port, tls=True)


def vet_address(url: str, *, book: AddressBook) -> Target:
    """What can be said of a URL when it is named, before any resolver is asked. Raises EgressRefused."""
    return vet(url, book=book, resolve=lambda _host, _port: [_ANY_GLOBAL]).target


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refuse_local_name(host: str) -> None:
    if "." not in host:
        raise refuse("bare_host", host)
    if host.rsplit(".", 1)[-1] in _SPECIAL:
        raise refuse("special_name", host)


def _all_global(host: str, answers: Iterable[str]) -> tuple[str, ...]:
    vetted: list[str] = []
    for answer in answers:
        address = _literal(answer.split("%", 1)[0])
        rule = "malformed_answer" if address is None else forbidden_rule(address)
        if address is None or rule is not None:
            raise refuse(rule or "malformed_answer", host, sentence=LEADS_INSIDE if rule else "")
        vetted.append(str(address))
    if not vetted:
        raise OSError(f"{host} has no address")
    return tuple(dict.fromkeys(vetted))
