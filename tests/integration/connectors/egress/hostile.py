"""URLs that must never be called, by kind. Those of `AT_THE_DOOR` are refused when they are named; `BY_NAME` look like
any other company's until their names are looked up, and are refused when they are called. Not a test."""

from __future__ import annotations

import ipaddress
from typing import Final

# Where what runs on every cloud tells its secrets, and what listens on every machine.
_TARGETS: Final = {
    "loopback": "127.0.0.1",
    "metadata": "169.254.169.254",
    "ecs": "169.254.170.2",
    "private": "10.0.0.1",
    "azure": "168.63.129.16",
}


def _spelled(text: str) -> list[str]:
    """An IPv4 address in every spelling that some resolver or browser understands."""
    number, parts = int(ipaddress.IPv4Address(text)), [int(part) for part in text.split(".")]
    dotted = [".".join(f"{form}" for form in spelled) for spelled in (
        [hex(part) for part in parts],
        [f"0{part:o}" for part in parts],
        [f"0000{part:o}" for part in parts],
        [hex(parts[0]), str(parts[1]), f"0{parts[2]:o}", str(parts[3])],
        [str(parts[0]), str(number & 0xFFFFFF)],
        [str(parts[0]), str(parts[1]), str(number & 0xFFFF)],
    )]  # fmt: skip
    wide = text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    circled = text.translate({ord("1") + digit: 0x2460 + digit for digit in range(9)} | {ord("0"): 0x24EA})
    odd = [
        wide,
        circled,
        text.replace(".", "\u3002"),
        text.replace(".", "\uff0e"),
        f"{text}.",
        f"%{ord(text[0]):x}{text[1:]}",
    ]
    embedded = [
        f"[::ffff:{text}]", f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]", f"[::{text}]", f"[64:ff9b::{text}]",
        f"[64:ff9b:1::{text}]", f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]", f"[::ffff:0:{text}]",
        f"[2001:0:{number >> 16:x}:{number & 0xFFFF:x}::1]", f"[fe80::5efe:{number >> 16:x}:{number & 0xFFFF:x}]",
    ]  # fmt: skip
    return [text, str(number), hex(number), f"0{number:o}", *dotted, *odd, *embedded]


AT_THE_DOOR: Final[dict[str, tuple[str, ...]]] = {
    "spelled": tuple(f"https://{form}/" for target in _TARGETS.values() for form in _spelled(target)),
    "scheme": (
        *("http://good.com/", "ftp://good.com/", "file:///etc/passwd", "file://good.com/etc/passwd", "ws://good.com/"),
        *("gopher://127.0.0.1:6379/_FLUSHALL", "dict://127.0.0.1:11211/stats", "ldap://good.com/", "wss://good.com/"),
        *("data:text/plain,hi", "javascript:alert(1)"),
        *("unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock/", "about:blank"),
        *("jar:https://good.com!/x", "sftp://good.com/", "tftp://good.com/", "//good.com/", "good.com", "/etc/passwd"),
        *("https:good.com", "https:/good.com", "https:///good.com"),
        *("https:\\\\good.com", "hTTp://good.com/", "s3://b/k"),
        *("view-source:https://good.com/", "ssh://good.com/", "smtp://good.com:25/", "phar://x.phar/", "netdoc:///etc"),
    ),
    "userinfo": (
        *("https://user@good.com/", "https://user:pass@good.com/", "https://good.com@127.0.0.1/", "https://@good.com/"),
        *("https://127.0.0.1@good.com/", "https://good.com:443@169.254.169.254/"),
        *("https://a@b@good.com/", "https://:@a.co/"),
    ),
    "port": tuple(
        f"https://good.com:{port}/"
        for port in (0, 1, 22, 25, 80, 2375, 3306, 5432, 6379, 8443, 9200, 11211, 65535, 65536)
    ),
    "authority": (
        *("https://", "https:///", "https://?x", "https://#", "https://:443/", "https://./", "https://.good.com/"),
        *("https://good..com/", "https://good.com../"),
        *("https://good.com./", "https://good.com:/", "https://good.com:x/"),
        *("https://good.com:443:443/", "https://good.com:00443/", "https://good.com:-1/", "https://good.com:+443/"),
        *("https://good.com\\.evil.com/", "https://good.com\\@evil.com/"),
        *("https://good.com%2f@evil.com/", "https://*.com/"),
        *("https://good.com%00.evil.com/", "https://good%2ecom/"),
        *("https://go_od.com/", "https://-good.com/", "https://a b/"),
    ),
    "brackets": (
        *("https://[::1", "https://::1]/", "https://[::1]x/"),
        *("https://[]/", "https://[::1%25lo]/", "https://[::1%lo]/"),
        *("https://[fe80::1%25eth0]/", "https://[v1.fe80::]/"),
        *("https://[127.0.0.1]/", "https://[[::1]]/", "https://[:]/"),
        *("https://[12345::]/", "https://[::1]:/"),
        *("https://[good.com]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::]/"),
    ),
    "letters": (
        *("https://good.com/\r\nHost: evil.com", "https://good.com\r\n.evil.com/"),
        *("https://good.com/\tx", "https://go\tod.com/"),
        *("https://good.com/\x00", "https://good.com\x00.evil.com/", "https://good.com/\x7f", "https://good.com/ x"),
        *("https://good.com/\u202etxt", "https://go\u200dod.com/"),
        *("https://go\u00adod.com/", "https://good.com/\u00fc"),
        *("https://good.com\u2044evil.com/", "https://good.com\uff0fevil.com/", "https://good.com\uff20evil.com/"),
        *("https://\u24c1ocalhost/", "https://\u2488\u2488.com/"),
        *("https://xn--/", "https://xn--a.com/", "https://ex\u2024ample.com/"),
        *("https://good.com/#fragment", "https://good.com#@evil.com/"),
        *("https://good.com/%zz", "https://good.com/<script>"),
        *("https://good.com/{x}", "https://good.com/`id`"),
        *("https://good.com/|", 'https://good.com/"', "https://good.com/^"),
    ),
    "long": (
        *("https://" + "a" * 64 + ".com/", "https://" + "a." * 130 + "com/", "https://good.com/" + "a" * 5_000),
        "https://" + "x" * 200_000 + ".com/",
    ),
    "names": (
        *("https://localhost/", "https://LOCALHOST/", "https://localhost.localdomain/", "https://a.localhost/"),
        *("https://metadata.google.internal/computeMetadata/v1/", "https://metadata/", "https://instance-data/"),
        *("https://instance-data.ec2.internal/"),
        *("https://metadata.azure.internal/", "https://kubernetes.default.svc.local/"),
        *("https://host.docker.internal/", "https://gateway.docker.internal/"),
        *("https://printer.local/", "https://db.lan/"),
        *("https://dc.corp/", "https://x.onion/"),
        *("https://router.home/", "https://1.0.0.127.in-addr.arpa/", "https://a.test/"),
        *("https://redis/", "https://postgres/", "https://a.example/", "https://a.invalid/", "https://wiki.intranet/"),
    ),
    "ranges": tuple(
        f"https://{host}/" for host in (
            *("0.0.0.0", "0.1.2.3", "10.255.255.255"),  # noqa: S104  a host that is never bound
            *("100.64.0.1", "100.100.100.200", "127.255.255.254", "169.254.0.1"),
            *("172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
            *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
            *("[fc00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]"),
            *("[100::1]", "[3fff::1]", "[5f00::1]", "[2001:2::1]", "[2001::1]", "[2002::1]", "[4000::1]", "[::2]"),
        )
    ),
}  # fmt: skip
ALL: Final = tuple(dict.fromkeys(url for urls in AT_THE_DOOR.values() for url in urls))

# Real names (or ones like them) that anybody may register, and what they lead to.
BY_NAME: Final[dict[str, tuple[str, ...]]] = {
    "localtest.me": ("127.0.0.1", "::1"),
    "lvh.me": ("127.0.0.1",),
    "127-0-0-1.nip.io": ("127.0.0.1",),
    "169.254.169.254.nip.io.evil.com": ("169.254.169.254",),
    "vcap.me": ("127.0.0.1",),
    "spoofed.burpcollaborator.net": ("127.0.0.1",),
    "ip6.evil.com": ("::ffff:127.0.0.1",),
    "nat64.evil.com": ("64:ff9b::a9fe:a9fe",),
    "both.evil.com": ("93.184.216.34", "127.0.0.1"),
    "both6.evil.com": ("2606:2800:220:1::1", "fd00:ec2::254"),
    "zero.evil.com": ("0.0.0.0",),  # noqa: S104  an answer, never bound
    "cgnat.evil.com": ("100.64.0.1",),
    "zone.evil.com": ("fe80::1%eth0",),
    "teredo.evil.com": ("2001:0:7f00:1::1",),
    "intranet.evil.com": ("10.1.2.3",),
    "multicast.evil.com": ("224.0.0.251",),
}
