"""Packages: what was packed is read again, and whatever is not as it was packed is named."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.templates.library import open_shelf
from app.templates.packing.package import (
    LARGEST,
    Contents,
    PackageRefused,
    Publisher,
    address_of,
    publisher,
    write_package,
)
from app.templates.packing.reading import PackageAltered, PackageUnreadable, read_package
from app.templates.rules import TemplateRefused
from app.templates.workbench.bench import open_bench
from app.templates.workbench.files import LIBRARY

AT = "2026-03-02T09:00:00Z"
ACME = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
OTHER = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"b" * 32))


@cache
def contents() -> Contents:
    bench = open_bench(LIBRARY / "msp" / "renewal" / "template.yaml")
    tests = {id(each.source): each.source.document for each in bench.tests()}
    return Contents(bench.template.document, tuple(tests.values()), bench.sample().source.document, "Read me", "1.0.0")


@cache
def packed() -> bytes:
    return write_package(contents(), ACME, AT)


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(packed())
    return found


def signed(changed: dict[str, Any], signer: Publisher = ACME) -> bytes:
    """What somebody who holds a key could make."""
    body = {name: value for name, value in changed.items() if name != "signature"}
    return rfc8785.dumps(body | {"signature": b64encode(signer.private.sign(rfc8785.dumps(body))).decode()})


def addressed(changed: dict[str, Any]) -> dict[str, Any]:
    return changed | {"addresses": {name: address_of(changed[name]) for name in changed["addresses"]}}


class TestWritePackage:
    def test_is_read_again_as_it_was(self):
        package = read_package(packed(), trusted=ACME.key)
        assert package.template.document == contents().template
        assert package.address == address_of(dict(contents().template))
        assert package.tests == 3
        assert package.key == ACME.key
        assert package.template.compile().id == "msp-renewal"

    def test_gives_the_same_bytes_for_the_same_contents(self):
        assert write_package(contents(), ACME, AT) == packed()

    def test_holds_no_path(self):
        assert b"templates_library" not in packed()
        assert b".yaml" not in packed()

    @pytest.mark.parametrize("name", ["", " acme", "a+b", "a\nb", "x" * 101])
    def test_refuses_a_name_that_no_key_can_carry(self, name):
        with pytest.raises(PackageRefused):
            publisher(name, ACME.private)

    def test_refuses_what_would_be_too_large(self):
        with pytest.raises(PackageRefused, match="bytes"):
            write_package(Contents(contents().template, readme="x" * LARGEST), ACME, AT)

    def test_refuses_text_that_is_none(self):
        with pytest.raises(PackageRefused):
            write_package(Contents(contents().template, readme="\ud800"), ACME, AT)


class TestReadPackage:
    @pytest.mark.parametrize(
        ("part", "change"),
        [
            ("template", lambda each: each["template"].update(version="1.0.1")),
            ("tests", lambda each: each["tests"].pop()),
            ("sample", lambda each: each["sample"]["inputs"].update(seats=41)),
            ("readme", lambda each: each.update(readme="Read me!")),
            ("changelog", lambda each: each.update(changelog="")),
        ],
    )
    def test_names_the_part_that_was_altered(self, part, change):
        altered = document()
        change(altered)
        with pytest.raises(PackageAltered, match=f"Not as it was packed: {part}"):
            read_package(rfc8785.dumps(altered))

    @pytest.mark.parametrize(
        "change",
        [
            lambda each: each.update(created="2026-03-02T09:00:01Z"),
            lambda each: each.update(signature=("B" if each["signature"][0] == "A" else "A") + each["signature"][1:]),
            lambda each: each.update(addressed(each | {"readme": "other"})),
            lambda each: each.update(addressed(each | {"readme": "other"}), readme="other"),
            lambda each: each.update(key=OTHER.key.written),
        ],
    )
    def test_finds_what_no_address_covers_by_the_signature(self, change):
        altered = document()
        change(altered)
        with pytest.raises(PackageAltered):
            read_package(rfc8785.dumps(altered))

    def test_refuses_a_flipped_byte_anywhere(self):
        raw = packed()
        for place in range(0, len(raw), 211):
            altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            with pytest.raises((PackageAltered, PackageUnreadable)):
                read_package(altered)

    @pytest.mark.parametrize(
        "raw",
        [
            packed()[:-1],
            packed()[: len(packed()) // 2],
            packed() + b"\n",
            packed() + packed(),
            b" " + packed(),
            json.dumps(document()).encode(),
            json.dumps(document(), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode(),
            packed().replace(b'{"addresses"', b'{"addresses":{},"addresses"', 1),
        ],
    )
    def test_refuses_another_form_of_the_same(self, raw):
        with pytest.raises((PackageAltered, PackageUnreadable)):
            read_package(raw)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b"\x00\xff\xfe",
            b"slipway: 1",
            b"[" * 100_000,
            b'{"package":1}',
            b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
            b"x" * (LARGEST + 1),
            rfc8785.dumps({"package": "1"}),
        ],
    )
    def test_refuses_what_is_no_package(self, raw):
        with pytest.raises((PackageUnreadable, PackageAltered)):
            read_package(raw)

    def test_refuses_a_later_format_with_a_sentence(self):
        with pytest.raises(PackageUnreadable, match="of format 3, and this installation reads the formats 1 and 2"):
            read_package(rfc8785.dumps({"package": "3", "anything": {}}))

    def test_refuses_another_key_than_the_trusted_one(self):
        theirs = signed(document() | {"key": OTHER.key.written}, OTHER)
        assert read_package(theirs).key == OTHER.key
        with pytest.raises(PackageAltered, match="another key than the one you trust"):
            read_package(theirs, trusted=ACME.key)

    def test_refuses_a_publisher_that_the_key_does_not_name(self):
        with pytest.raises(PackageAltered, match="says it is from “northwind”"):
            read_package(signed(document() | {"publisher": "northwind"}))

    def test_refuses_a_template_that_does_not_pass_the_lint_here(self):
        theirs = document()
        theirs["template"]["stages"][0]["owner"] = "nobody"
        with pytest.raises(TemplateRefused, match="There is no role “nobody”"):
            read_package(signed(addressed(theirs)))

    def test_refuses_a_template_whose_own_tests_fail(self):
        theirs = document()
        theirs["tests"][0]["tests"][0]["then"] = {"status": "cancelled"}
        with pytest.raises(TemplateRefused, match="expected cancelled"):
            read_package(signed(addressed(theirs)))

    def test_refuses_tests_that_are_none(self):
        theirs = document()
        theirs["tests"] = [{"tests": "../../etc/passwd"}]
        with pytest.raises(TemplateRefused):
            read_package(signed(addressed(theirs)))

    def test_refuses_a_member_that_the_format_does_not_have(self):
        with pytest.raises(PackageUnreadable, match="There is no “path” here"):
            read_package(signed(document() | {"path": "../../x"}))


@cache
def adapted() -> bytes:
    """A template with an adaptation upon it."""
    shelf = open_shelf("msp/managed-services")
    overlays = (shelf.overlays["northwind"].document,)
    return write_package(Contents(shelf.template.document, overlays=overlays), ACME, AT)


class TestAPackageWithAdaptations:
    def test_gives_the_chain_in_its_order(self):
        shelf = open_shelf("msp/managed-services")
        package = read_package(adapted(), trusted=ACME.key)
        assert [each.digest for each in package.chain] == [shelf.template.digest, shelf.overlays["northwind"].digest]

    def test_names_an_adaptation_that_was_altered(self):
        changed = json.loads(adapted())
        changed["overlays"][0]["version"] = "9.9.9"
        with pytest.raises(PackageAltered, match="overlays"):
            read_package(signed(changed))

    def test_refuses_an_adaptation_of_something_else(self):
        changed = json.loads(adapted())
        changed["overlays"][0]["base"]["digest"] = f"sha256:{'0' * 64}"
        with pytest.raises(TemplateRefused, match="other content"):
            read_package(signed(addressed(changed)))

    @pytest.mark.parametrize("layout", ["1", "3"])
    def test_refuses_to_be_called_another_format(self, layout):
        with pytest.raises(PackageUnreadable):
            read_package(signed(json.loads(adapted()) | {"package": layout}))

    def test_holds_at_least_one_where_its_format_says_so(self):
        with pytest.raises(PackageUnreadable):
            read_package(signed(document() | {"package": "2"}))
