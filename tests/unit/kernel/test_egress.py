"""Attacks on the egress guard: hostile URLs, hostile answers of the resolver, a book that would open a door."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.outbound.egress import (
    DENIED,
    NO_ENTRIES,
    AddressBook,
    AddressBookWrong,
    EgressRefused,
    forbidden_rule,
    parse_url,
    vet,
)

PUBLIC = "93.184.216.34"


def to_public(_host, _port):
    return [PUBLIC]


def nobody(host, _port):
    raise AssertionError(f"{host} must not even be looked up")


MALFORMED = [
    *("", " ", "https", "https:", "https:/", "https://", "https:///", "https:///etc/passwd", "//good.example.com/"),
    *("/path", "good.example.com", "good.example.com:443", "https:good.example.com", "https:/good.example.com/"),
    *(
        "https:\\\\good.example.com",
        " https://good.com",
        "https://good.com ",
        "https://good.com/a b",
        "\thttps://good.com",
    ),
    *(
        "https://good.com/\n",
        "https://good.com/\r\nHost: evil.com",
        "https://good.com\n.evil.com/",
        "ht tps://good.com",
    ),
    *("https://good.com/#fragment", "https://good.com#@evil.com/", "https://good.com/%zz", "https://good.com/%1"),
    *(
        "https://good.com/%",
        'https://good.com/"',
        "https://good.com/<script>",
        "https://good.com/{x}",
        "https://good.com/|",
    ),
    *("https://good.com/^", "https://good.com/`", "https://good.com/\\evil.com", "https://good.com/\u00fc"),
    *(
        "https://good.com/\x00",
        "https://good.com/\u202e",
        "https://good.com\\.evil.com/",
        "https://good.com\\@evil.com/",
    ),
    *("https://good.com:443\\@evil.com/", "https://good.com\x00.evil.com/", "https://good.com%00.evil.com/"),
    *("https://good.com%2eevil.com/", "https://%67ood.com/", "https://good..com/", "https://.good.com/", "https://./"),
    *("https://-good.com/", "https://good-.com/", "https://go_od.com/", "https://good.com,evil.com/", "https://*.com/"),
    *("https://[::1", "https://::1]/", "https://[::1]evil.com/", "https://[v1.fe80::]/", "https://[]/", "https://[:]/"),
    *("https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://[fe80::1%25eth0]/", "https://[12345::]/"),
    *(
        "https://[::1]:/",
        "https://good.com:/",
        "https://good.com:0/",
        "https://good.com:00443/",
        "https://good.com:-1/",
    ),
    *("https://good.com:+443/", "https://good.com: 443/", "https://good.com:443:443/", "https://good.com:4_43/"),
    *("https://good.com:\uff14\uff14\uff13/", "https://good.com:\u0664\u0664\u0663/", "https://good.com:abc/"),
    *(
        "https://good.com:65536/",
        "https://good.com:99999/",
        "https://good.com:443443/",
        "https://" + "a" * 64 + ".com/",
    ),
    *(
        "https://" + "a." * 130 + "com/",
        "https://good.com/" + "a" * 5000,
        "https://\u00ad.com/",
        "https://go\u200dod.com/",
    ),
    *("https://good\u3002com/", "https://good\uff0ecom/", "https://\uff47ood.com/", "https://go\u2060od.com/"),
    *("https://\u24d6ood.com/", "https://\u2460.com/", "https://xn--/", "https://xn--a.com/", "https://xn--0.com/"),
    *("https://xn--abcdefg-.com/", "https://good.com\u2044evil.com/", "https://good.com\uff0fevil.com/"),
    *("https://evil.com\uff03@good.com/", "https://\u2488\u2488.com/", "https://ex\u0000ample.com/"),
]
USERINFO = [
    *("https://user@good.com/", "https://user:pass@good.com/", "https://good.com@evil.com/", "https://@good.com/"),
    *("https://:@good.com/", "https://good.com:443@evil.com/", "https://a@b@good.com/", "https://127.0.0.1@good.com/"),
    *("https://good.com%40evil.com@x.com/", "https://[::1]@good.com/", "https://good.com\uff20@evil.com/"),
]
SCHEMES = [
    *("http://good.com/", "HTTP://good.com/", "http://good.com:443/", "http://8.8.8.8/", "ftp://good.com/"),
    *(
        "file:///etc/passwd",
        "file://good.com/etc/passwd",
        "gopher://good.com:25/_EHLO",
        "ws://good.com/",
        "wss://good.com/",
    ),
    *(
        "dict://good.com:6379/info",
        "ldap://good.com/",
        "jar:https://good.com!/",
        "data:text/plain,hi",
        "unix:///run/x.sock",
    ),
    *(
        "javascript://good.com/%0aalert(1)",
        "https+unix://good.com/",
        "sftp://good.com/",
        "tftp://good.com/",
        "s3://good.com/",
    ),
]
NUMERIC = [
    *("https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://127.1/"),
    *(
        "https://127.0.1/",
        "https://0177.0.0.1/",
        "https://00000177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.01/",
    ),
    *("https://127.0.0.1.2/", "https://256.0.0.1/", "https://1.2.3/", "https://0/", "https://00/", "https://0x/"),
    *("https://0x0/", "https://3232235777/", "https://0xa9fea9fe/", "https://2852039166/", "https://169.254.43518/"),
    *("https://0251.0376.0251.0376/", "https://0xA9.0xFE.0xA9.0xFE/", "https://1.1.1.0x1/", "https://evil.com.1/"),
    *("https://a.0x7f/", "https://127.0.0.1000/", "https://8.8.8.08/", "https://8.8.2056/", "https://134744072/"),
]
TRAILING_DOT = [
    "https://good.com./",
    "https://localhost./",
    "https://127.0.0.1./",
    "https://good.com.:443/",
    "https://a../",
]
LITERALS = [
    *("https://127.0.0.1/", "https://127.255.255.254/", "https://0.0.0.0/", "https://0.1.2.3/", "https://10.0.0.1/"),
    *("https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/"),
    *("https://100.64.0.1/", "https://100.127.255.255/", "https://100.100.100.200/", "https://169.254.0.1/"),
    *("https://169.254.169.254/latest/meta-data/", "https://169.254.170.2/v2/credentials", "https://168.63.129.16/"),
    *(
        "https://192.0.0.1/",
        "https://192.0.0.192/",
        "https://192.0.2.1/",
        "https://192.31.196.1/",
        "https://192.52.193.1/",
    ),
    *("https://192.88.99.1/", "https://192.175.48.1/", "https://198.18.0.1/", "https://198.19.255.255/"),
    *("https://198.51.100.1/", "https://203.0.113.1/", "https://224.0.0.1/", "https://239.255.255.250/"),
    *(
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
    ),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::ffff:8.8.8.8]/", "https://[::127.0.0.1]/"),
    *("https://[::ffff:0:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/"),
    *("https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2001::1]/"),
    *("https://[2001:0:7f00:1::]/", "https://[2001:db8::1]/", "https://[2001:2::1]/", "https://[2001:10::1]/"),
    *("https://[2001:20::1]/", "https://[3fff::1]/", "https://[3ffe::1]/", "https://[5f00::1]/", "https://[100::1]/"),
    *("https://[100:0:0:1::1]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[fd12:3456::1]/"),
    *("https://[fe80::1]/", "https://[febf::1]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[ffff::1]/"),
    *("https://[4000::1]/", "https://[2a00:1450::5efe:7f00:1]/", "https://[2a00:1450::200:5efe:a00:1]/"),
    *("https://[2620:4f:8000::1]/", "https://[1::1]/", "https://[200::1]/", "https://[64:ff9c::1]/"),
]
NAMES = [
    *("https://localhost/", "https://LOCALHOST/", "https://metadata/", "https://redis/", "https://postgres:5432/"),
    *("https://foo.localhost/", "https://printer.local/", "https://metadata.google.internal/", "https://db.lan/"),
    *(
        "https://router.home/",
        "https://dc.corp/",
        "https://1.0.0.127.in-addr.arpa/",
        "https://x.onion/",
        "https://x.test/",
    ),
    *(
        "https://x.example/",
        "https://x.invalid/",
        "https://host.localdomain/",
        "https://wiki.intranet/",
        "https://a.private/",
    ),
]
PORTS = [
    f"https://good.com:{port}/" for port in (1, 22, 25, 53, 80, 389, 444, 2375, 3306, 5432, 6379, 8443, 9200, 65535)
]
HOSTILE = [*MALFORMED, *USERINFO, *SCHEMES, *NUMERIC, *TRAILING_DOT, *LITERALS, *NAMES, *PORTS]


class TestHostileURLs:
    def test_are_many(self):
        assert len(set(HOSTILE)) >= 250

    @pytest.mark.parametrize("url", HOSTILE)
    def test_are_refused_before_the_resolver_is_asked(self, url):
        with pytest.raises(EgressRefused) as refused:
            vet(url, book=NO_ENTRIES, resolve=nobody)
        assert refused.value.rule

    @pytest.mark.parametrize(
        ("urls", "rules"),
        [
            (USERINFO, {"userinfo"}),
            (NUMERIC, {"numeric_host"}),
            (TRAILING_DOT, {"trailing_dot"}),
            (NAMES, {"bare_host", "special_name"}),
            (PORTS, {"port"}),
            (SCHEMES, {"plain_http", "scheme", "malformed_url", "userinfo"}),
        ],
    )
    def test_are_refused_by_the_rule_that_was_meant(self, urls, rules):
        for url in urls:
            with pytest.raises(EgressRefused) as refused:
                vet(url, book=NO_ENTRIES, resolve=nobody)
            assert refused.value.rule in rules, url

    def test_are_counted_by_rule(self):
        before = DENIED.labels("loopback")._value.get()
        with pytest.raises(EgressRefused):
            vet("https://127.0.0.1/", book=NO_ENTRIES, resolve=nobody)
        assert DENIED.labels("loopback")._value.get() == before + 1

    def test_never_show_the_path_in_the_error(self):
        with pytest.raises(EgressRefused) as refused:
            vet("https://127.0.0.1/hook/s3cr3t-token", book=NO_ENTRIES, resolve=nobody)
        assert "s3cr3t" not in str(refused.value)


class TestGoodURLs:
    @pytest.mark.parametrize(
        ("url", "host", "port", "target"),
        [
            ("https://api.hubapi.com/crm/v3/objects/deals/1?a=b", "api.hubapi.com", 443, "/crm/v3/objects/deals/1?a=b"),
            ("HTTPS://API.HubAPI.com", "api.hubapi.com", 443, "/"),
            ("https://good.com?x=%20", "good.com", 443, "/?x=%20"),
            ("https://b\u00fccher.de/", "xn--bcher-kva.de", 443, "/"),
            ("https://xn--bcher-kva.de:443/", "xn--bcher-kva.de", 443, "/"),
            ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
            ("https://[2A00:1450:4001:0:0:0:0:8]/", "2a00:1450:4001::8", 443, "/"),
            ("https://3com.com/", "3com.com", 443, "/"),
        ],
    )
    def test_are_normalised(self, url, host, port, target):
        vetted = vet(url, book=NO_ENTRIES, resolve=to_public)
        assert (vetted.target.host, vetted.target.port, vetted.target.target) == (host, port, target)
        assert vetted.tls

    def test_may_use_a_port_that_the_manifest_names(self):
        vetted = vet("https://good.com:8443/", book=NO_ENTRIES, resolve=to_public, ports=frozenset({8443}))
        assert (vetted.port, vetted.target.host_header) == (8443, "good.com:8443")


class TestAnswersOfTheResolver:
    @pytest.mark.parametrize(
        "answers",
        [
            ["127.0.0.1"],
            [PUBLIC, "127.0.0.1"],
            [PUBLIC, "8.8.8.8", "::1"],
            ["fe80::1%eth0"],
            [PUBLIC, "::ffff:10.0.0.1"],
            ["not an address"],
            ["169.254.169.254"],
            ["2606:2800:220:1::1", "fd00::1"],
        ],
    )
    def test_are_refused_when_any_of_them_is_local(self, answers):
        with pytest.raises(EgressRefused):
            vet("https://good.com/", book=NO_ENTRIES, resolve=lambda *_: answers)

    def test_are_used_as_they_were_vetted(self):
        answers = ["2606:2800:220:1::1", PUBLIC, PUBLIC]
        vetted = vet("https://good.com/", book=NO_ENTRIES, resolve=lambda *_: answers)
        assert vetted.addresses == ("2606:2800:220:1::1", PUBLIC)

    def test_must_exist(self):
        with pytest.raises(OSError, match="no address"):
            vet("https://good.com/", book=NO_ENTRIES, resolve=lambda *_: [])


class TestAddressBook:
    BOOK = AddressBook.parse(" api.hubapi.com:443=9101, admin.workbench.example:443=9102,")

    @pytest.mark.parametrize(
        "url", ["https://api.hubapi.com/x", "http://api.hubapi.com:443/x", "https://API.hubapi.com:443/x"]
    )
    def test_leads_exactly_its_hosts_to_a_local_port(self, url):
        vetted = vet(url, book=self.BOOK, resolve=nobody)
        assert (vetted.addresses, vetted.port, vetted.tls) == (("127.0.0.1",), 9101, False)

    def test_keeps_the_real_name(self):
        vetted = vet("https://admin.workbench.example/v1", book=self.BOOK, resolve=nobody)
        assert vetted.target.host_header == "admin.workbench.example"

    @pytest.mark.parametrize(
        "url",
        [
            "https://api.hubapi.com:8443/",
            "https://evil.api.hubapi.com:444/",
            "https://api.hubapi.com.evil.localhost/",
            "https://127.0.0.1:9101/",
            "https://localhost:9101/",
            "http://api.hubapi.com/",
        ],
    )
    def test_opens_nothing_else(self, url):
        with pytest.raises(EgressRefused):
            vet(url, book=self.BOOK, resolve=nobody)

    @pytest.mark.parametrize(
        "text",
        [
            *("api.hubapi.com", "api.hubapi.com=9101", "api.hubapi.com:443", "api.hubapi.com:443=", "localhost:443=1"),
            *("127.0.0.1:443=9101", "[::1]:443=1", "a.com:70000=1", "a.com:443=70000", "a.com:0=1", "A.com:443=1"),
            *("a.com:443=1,a.com:443=2", "*.com:443=1", "a.com:443=1;b.com:443=2", "a..com:443=1", "a.com.:443=1"),
        ],
    )
    def test_is_refused_when_it_cannot_be_read(self, text):
        with pytest.raises(AddressBookWrong):
            AddressBook.parse(text)


class TestForbiddenAddresses:
    @given(st.ip_addresses(v=4))
    def test_leave_no_v4_that_python_calls_not_global(self, address):
        if not address.is_global or address.is_multicast:
            assert forbidden_rule(address) is not None

    @given(st.ip_addresses(v=6))
    def test_leave_no_v6_that_python_calls_not_global(self, address):
        if not address.is_global or address.is_multicast:
            assert forbidden_rule(address) is not None

    @given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "::ffff:0:0:0", "64:ff9b:1::"]))
    def test_refuse_every_embedded_v4(self, inner, prefix):
        assert forbidden_rule(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner))) is not None

    @given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
    def test_refuse_every_6to4(self, inner, rest):
        assert forbidden_rule(ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80) | rest)) is not None

    @pytest.mark.parametrize(
        "text", [PUBLIC, "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::8", "172.15.0.1", "100.63.0.1"]
    )
    def test_leave_the_internet_alone(self, text):
        assert forbidden_rule(ipaddress.ip_address(text)) is None


URLISH = st.text(st.sampled_from("htps:/.@#?%[]\\0127xaf-_ \t\uff11\u3002\u00fc"), max_size=40)


class TestAnyText:
    @given(st.one_of(st.text(max_size=80), URLISH.map("https://".__add__)))
    def test_is_refused_or_read_as_the_standard_library_reads_it(self, url):
        try:
            target = parse_url(url)
        except EgressRefused:
            return
        split = urlsplit(url)
        assert (split.port or 443) == target.port or split.scheme == "http"
        if split.hostname and split.hostname.isascii() and ":" not in split.hostname:
            assert split.hostname == target.host
        assert "@" not in split.netloc

    @given(URLISH)
    def test_never_leads_to_a_local_address(self, text):
        try:
            vetted = vet(f"https://{text}", book=NO_ENTRIES, resolve=lambda *_: ["127.0.0.1"])
        except EgressRefused:
            return
        assert all(forbidden_rule(ipaddress.ip_address(a)) is None for a in vetted.addresses)
