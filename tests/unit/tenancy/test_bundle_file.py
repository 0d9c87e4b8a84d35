"""The file of a bundle under attack: no database, no network; whatever is changed is noticed and named."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tenancy.bundles import archive
from app.tenancy.bundles.checking import check_sender, check_tables, read_entry, read_lines
from app.tenancy.bundles.documents import (
    DIRECTORY,
    FORMAT,
    HEADER,
    MANIFEST,
    Header,
    Part,
    TableShape,
    canonical,
    digest,
)
from app.tenancy.bundles.errors import BundleBroken, BundleForOthers, HomeStays, RevisionDiffers, SenderUnknown
from app.tenancy.bundles.sealing import open_part, place_of, seal_part
from app.tenancy.bundles.verification import CheckedBundle, verify_bundle, verify_file
from app.tenancy.bundles.writing import BundleWriter, open_writer, publish
from app.vault.bundle_keys import (
    BundleKeys,
    BundleKeyUnreadable,
    create_bundle_keys,
    fingerprint_of,
    open_bundle_keys,
    read_bundle_key,
    renew_opening_key,
    write_bundle_key,
)
from app.vault.sealed_box import seal_to
from app.vault.secret import Secret
from tenants.moving.portable import PortableTable, Travels

TENANT = UUID("0190a000-0000-7000-8000-000000000001")
OTHER = UUID("0190a000-0000-7000-8000-000000000002")
NOTES = PortableTable("tenant", "note", ("id", "said"), ("UUID", "TEXT"), ("id",))
JOBS = PortableTable("cell", "job", ("tenant_id", "id"), ("UUID", "UUID"), ("tenant_id", "id"), travels=Travels("true"))
TABLES = (NOTES, JOBS)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> BundleKeys:
    return keys_in(tmp_path_factory.mktemp("sender"))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> BundleKeys:
    return keys_in(tmp_path_factory.mktemp("receiver"))


def keys_in(folder: Path) -> BundleKeys:
    """An installation's keys."""
    folder.chmod(0o700)
    create_bundle_keys(folder)
    return open_bundle_keys(folder)


def header_of(sender: BundleKeys, receiver: BundleKeys, **more: object) -> Header:
    """The header of some bundle."""
    known = {"format": FORMAT, "bundle": UUID(int=7), "tenant": TENANT, "revision": "r1", "installation": UUID(int=8)}
    known |= {"signer": sender.signer, "recipient": receiver.public_key, "secrets": False, "began_at": "2026-11-21"}
    return Header(**(known | more))  # type: ignore[arg-type]  # of the right types above


def shapes(*rows: int) -> list[TableShape]:
    """The tables as an export describes them."""
    found = zip(TABLES, rows, strict=True)
    return [TableShape(t.path, list(t.columns), list(t.types), list(t.key), n) for t, n in found]


def write(path: Path, sender: BundleKeys, header: Header, parts: list[tuple[str, list[bytes]]]) -> bytes:
    """A bundle with these parts; gives its bytes."""
    with open_writer(path, header) as writer:
        for name, lines in parts:
            writer.add(name, lines)
        writer.close(shapes(*(writer.rows[table.path] for table in TABLES)), sender)
        publish(path)
    return path.read_bytes()


def line(number: int) -> bytes:
    return b'{"id":"%d","said":"hello"}' % number


def entry(tenant: UUID = TENANT, kind: str = "customer") -> bytes:
    return f'{{"id":"{tenant}","kind":"{kind}","name":"Acme"}}'.encode()


PARTS = [("tenant/note", [line(1), line(2)]), ("tenant/note", [line(3)]), (DIRECTORY, [entry()])]


@pytest.fixture(scope="module")
def good(sender: BundleKeys, receiver: BundleKeys, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("good") / "x", sender, header_of(sender, receiver), PARTS)


def check(raw: bytes) -> CheckedBundle:
    return verify_bundle(io.BytesIO(raw))


class TestVerify:
    def test_passes_what_an_export_writes(self, good: bytes, receiver: BundleKeys):
        checked = check(good)
        assert checked.rows == 3
        with tarfile.open(fileobj=io.BytesIO(good)) as known:  # what any tar lists
            assert known.getnames() == [HEADER, *(p.name for p in checked.manifest.parts), MANIFEST, "signature.json"]

    @given(data=st.data())
    def test_notices_any_changed_byte(self, good: bytes, data: st.DataObject):
        at = data.draw(st.integers(0, len(good) - 1))
        changed = data.draw(st.integers(0, 255).filter(lambda value: value != good[at]))
        with pytest.raises(BundleBroken):
            check(good[:at] + bytes([changed]) + good[at + 1 :])

    @given(data=st.data())
    def test_notices_any_cut_and_any_addition(self, good: bytes, data: st.DataObject):
        with pytest.raises(BundleBroken):
            check(good[: data.draw(st.integers(0, len(good) - 1))])
        with pytest.raises(BundleBroken):
            check(good + data.draw(st.binary(min_size=1, max_size=2_000)))

    def test_names_the_first_bad_part(self, good: bytes):
        second = list(archive.list_members(io.BytesIO(good)))[2]
        at = second.offset + 40
        with pytest.raises(BundleBroken) as caught:
            check(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert caught.value.part == second.name == "tenant/note/000002-1-26.sealed"

    def test_notices_parts_in_another_order_or_twice(self, good: bytes):
        members = list(archive.list_members(io.BytesIO(good)))
        blocks = [good[m.start : m.end] for m in members]
        rest = good[members[-1].end :]
        for order in ([0, 2, 1, 3, 4, 5], [0, 1, 1, 2, 3, 4, 5], [0, 1, 3, 4, 5], [1, 0, 2, 3, 4, 5]):
            with pytest.raises(BundleBroken):
                check(b"".join(blocks[n] for n in order) + rest)

    def test_does_not_take_another_signature(self, good: bytes, receiver: BundleKeys, tmp_path: Path):
        """Somebody signs the same content with a key of their own: the header still names the first one."""
        header = check(good).header
        raw = write(tmp_path / "x", receiver, header, PARTS)
        with pytest.raises(BundleBroken, match="signature"):
            check(raw)

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "tenant/../note", "a\\b", "CON", "x" * 90, ""])
    def test_refuses_names_that_lead_elsewhere(self, good: bytes, name: str):
        raw = io.BytesIO()
        member = tarfile.TarInfo(name)
        member.mode = 0o600
        raw.write(member.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict") + bytes(1024))
        with pytest.raises(BundleBroken):
            check(raw.getvalue())

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, b"x", b"L", b"S", b"g"])
    def test_refuses_members_that_are_no_plain_files(self, kind: bytes):
        member = tarfile.TarInfo(HEADER)
        member.type, member.mode, member.size = kind, 0o600, 512
        with pytest.raises(BundleBroken):
            check(member.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict") + bytes(2048))

    def test_refuses_a_member_that_is_too_large_without_reading_it(self):
        member = tarfile.TarInfo(HEADER)
        member.mode, member.size = 0o600, archive.LARGEST + 1
        with pytest.raises(BundleBroken, match="size"):
            check(member.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict") + bytes(2048))

    def test_says_that_a_file_is_not_there(self, tmp_path: Path):
        with pytest.raises(BundleBroken, match="No such file"):
            verify_file(tmp_path / "none")


class TestTrust:
    def test_is_given_to_a_named_sender_only(self, good: bytes, sender: BundleKeys, receiver: BundleKeys):
        check_sender(check(good), receiver, sender=fingerprint_of(sender.signer))
        with pytest.raises(SenderUnknown):
            check_sender(check(good), receiver, sender=fingerprint_of(receiver.signer))
        with pytest.raises(SenderUnknown):
            check_sender(check(good), receiver, sender="")

    def test_does_not_help_whom_it_is_not_sealed_for(self, good: bytes, sender: BundleKeys):
        checked = check(good)
        with pytest.raises(BundleForOthers):
            check_sender(checked, sender, sender=fingerprint_of(sender.signer))
        part = checked.manifest.parts[0]
        member = checked.members[part.name]
        sealed = good[member.offset : member.offset + member.size]
        with pytest.raises(BundleBroken, match="does not open"):
            open_part(checked.header, part, sealed, sender.opening)

    def test_ends_for_bundles_when_the_key_is_renewed(self, tmp_path: Path, sender: BundleKeys):
        old = keys_in(tmp_path)
        raw = write(tmp_path / "x", sender, header_of(sender, old), PARTS)
        renew_opening_key(tmp_path)
        new = open_bundle_keys(tmp_path)
        assert (new.signer, new.public_key == old.public_key) == (old.signer, False)
        with pytest.raises(BundleForOthers):
            check_sender(check(raw), new, sender=fingerprint_of(sender.signer))

    @given(st.binary(min_size=32, max_size=32))
    def test_keys_are_read_as_they_are_written(self, key: bytes):
        assert read_bundle_key(write_bundle_key(key)) == key

    @pytest.mark.parametrize(
        "written", ["", "x", "slwb1-", "slwb1-AAAA", "slwb1-" + "A" * 42 + "B", "slwb1-" + "ä" * 43]
    )
    def test_keys_that_are_mistyped_are_noticed(self, written: str):
        with pytest.raises(BundleKeyUnreadable):
            read_bundle_key(written)


class TestParts:
    @pytest.mark.parametrize(
        "change", [{"tenant": OTHER}, {"bundle": UUID(int=9)}], ids=["of another tenant", "of another bundle"]
    )
    def test_open_in_their_own_bundle_only(self, sender: BundleKeys, receiver: BundleKeys, change: dict[str, object]):
        part, sealed = seal_part(header_of(sender, receiver, **change), "tenant/note", 1, [line(1)])
        with pytest.raises(BundleBroken, match="does not open"):
            open_part(header_of(sender, receiver), part, sealed, receiver.opening)

    def test_open_under_their_own_name_only(self, sender: BundleKeys, receiver: BundleKeys):
        header = header_of(sender, receiver)
        part, sealed = seal_part(header, "tenant/note", 1, [line(1)])
        moved = Part(part.name.replace("000001", "000002"), part.size, part.sha256, part.rows, part.bytes)
        with pytest.raises(BundleBroken, match="does not open"):
            open_part(header, moved, sealed, receiver.opening)

    @pytest.mark.parametrize(
        ("packed", "length"),
        [
            (gzip.compress(bytes(50 << 20)), 100),  # unfolds to 50 MiB and says 100 bytes
            (gzip.compress(bytes(50 << 20)), 70 << 20),  # says more than a part may hold
            (gzip.compress(b"a\n") + gzip.compress(b"b\n"), 2),
            (gzip.compress(b"a\n")[:-1], 2),
            (b"no gzip", 2),
            (gzip.compress(b"cut"), 3),
            (gzip.compress(b"a\nb\n"), 4),  # two rows, and says one
        ],
        ids=["bomb", "bomb that says so", "two in one", "cut at its end", "no gzip", "short", "one row too many"],
    )
    def test_unpack_to_what_they_say_or_not_at_all(
        self, sender: BundleKeys, receiver: BundleKeys, packed: bytes, length: int
    ):
        header, name = header_of(sender, receiver), "tenant/note/000001-1-2.sealed"
        sealed = seal_to(receiver.public_key, place_of(header, name), Secret(packed))
        with pytest.raises(BundleBroken):
            open_part(header, Part(name, len(sealed), digest(sealed), 1, length), sealed, receiver.opening)


class TestContents:
    def test_are_of_our_tables(self, good: bytes):
        check_tables(check(good), TABLES, revision="r1")
        with pytest.raises(RevisionDiffers):
            check_tables(check(good), TABLES, revision="r2")
        for tables in ((NOTES,), (JOBS, NOTES), (*TABLES, NOTES)):
            with pytest.raises(BundleBroken):
                check_tables(check(good), tables, revision="r1")

    @pytest.mark.parametrize("name", ["tenant/pg_authid", "cell/slot", "keys/tenant", "directory/tenant"])
    def test_hold_nothing_beside_them(self, sender: BundleKeys, receiver: BundleKeys, tmp_path: Path, name: str):
        raw = write(tmp_path / "x", sender, header_of(sender, receiver), [*PARTS, (name, [b"{}"])])
        with pytest.raises(BundleBroken):
            check_tables(check(raw), TABLES, revision="r1")

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"[]",
            b"null",
            b'{"id":"1"}',
            b'{"said":"x","id":"1"}',
            b'{"id":"1","said":"x","more":"y"}',
            b'{"id":"1","said":7}',
            b'{"id":"1","said":{"a":1}}',
            b'{"id":"1","said":"\xff"}',
            b'{"id":"1","said":"\\ud800"}',
            b'{"id":"1","said":"x"} {"id":"2","said":"y"}',
            b"[" * 100_000,
        ],
    )
    def test_are_rows_of_our_columns(self, raw: bytes):
        with pytest.raises(BundleBroken, match="row 1"):
            read_lines(Part("p", 0, "", 1, 0), NOTES, TENANT, [raw])

    def test_are_read_once(self):
        """A name that stands twice is written as it was understood, not as the database might understand it."""
        raw = b'{"id":"1","said":"x","said":"y"}'
        assert read_lines(Part("p", 0, "", 1, 0), NOTES, TENANT, [raw]) == [b'{"id":"1","said":"y"}']

    def test_of_the_cell_are_of_this_tenant(self):
        part = Part("p", 0, "", 1, 0)
        mine, theirs = (f'{{"tenant_id":"{t}","id":"1"}}'.encode() for t in (TENANT, OTHER))
        assert read_lines(part, JOBS, TENANT, [mine]) == [mine]
        with pytest.raises(BundleBroken, match="another workspace"):
            read_lines(part, JOBS, TENANT, [theirs])

    def test_begin_with_the_tenant_that_the_header_names(self, sender: BundleKeys, receiver: BundleKeys):
        header = header_of(sender, receiver)
        assert read_entry(header, [entry()]).name == "Acme"
        with pytest.raises(BundleBroken, match="another workspace"):
            read_entry(header, [entry(OTHER)])
        with pytest.raises(HomeStays):
            read_entry(header, [entry(kind="home")])
        for lines in ([], [b"{}"], [entry(), entry()]):
            with pytest.raises(BundleBroken):
                read_entry(header, lines)


class TestHeader:
    @given(st.integers(1, 400))
    def test_that_is_cut_is_begun_anew(self, cut: int):
        import tempfile

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            keys = keys_in(folder)
            header = header_of(keys, keys)
            waiting = folder / "x.part"
            file = io.BytesIO()
            tarred = tarfile.TarInfo(HEADER)
            tarred.mode, tarred.size = 0o600, len(canonical(header))
            file.write(tarred.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict") + canonical(header))
            waiting.write_bytes(file.getvalue()[:-cut])
            with open_writer(folder / "x", header) as writer:
                assert isinstance(writer, BundleWriter)
                assert not writer.parts
