"""What a file may be called, and whether its bytes are what its name says."""

from __future__ import annotations

import io

import pytest

from app.flow.fields import Field
from app.onboarding.files.doors.answering import disposition
from app.onboarding.files.looking import Looker
from app.onboarding.files.rules import FileRefused, PlaceFull, check_room, clean_name, kind_for
from tests.factories.vault.files import office, pdf

SLOT = Field(id="x", label={}, type="files", minimum=1, maximum=2, accept=("pdf", "xlsx", "csv"), max_mb=1)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def refusal(kind: str, content: bytes) -> str | None:
    """By which word it is refused, read in small pieces."""
    looker = Looker(kind)
    try:
        for start in range(0, len(content), 7):
            looker.look(content[start : start + 7])
        looker.finish()
        looker.look_inside(io.BytesIO(content))  # type: ignore[arg-type]  # read like any file
    except FileRefused as refused:
        return refused.word
    return None


class TestName:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("Plan.pdf", "Plan.pdf"),
            ("C:\\fakepath\\Plan.pdf", "Plan.pdf"),
            ("../../../etc/Plan.pdf", "Plan.pdf"),
            ("/etc/passwd", "passwd"),
            ("  two   words .pdf", "two words .pdf"),
            ("U\u0308bersicht.pdf", "\u00dcbersicht.pdf"),
            ("مخطط.pdf", "مخطط.pdf"),
        ],
    )
    def test_keeps_the_last_part_in_one_spelling(self, sent, kept):
        assert clean_name(sent) == kept

    @pytest.mark.parametrize(
        "sent", ["", "..", "a/", "x\x00.pdf", "x\r\nset-cookie.pdf", "fdp\u202egpj.pdf", "x" * 151]
    )
    def test_refuses_what_hides_or_says_nothing(self, sent):
        with pytest.raises(FileRefused):
            clean_name(sent)

    def test_claims_one_of_the_kinds_by_its_last_ending(self):
        assert kind_for(SLOT, "A.PDF") == "pdf"
        for name in ("a.pdf.exe", "pdf", "a.html"):
            with pytest.raises(FileRefused, match=r"\.pdf, \.xlsx, \.csv"):
                kind_for(SLOT, name)

    def test_is_told_in_two_spellings_and_breaks_no_header(self):
        said = disposition('a "b"\r\nüx.pdf')
        assert said.startswith('attachment; filename="a _b_')
        assert "\n" not in said.replace("%0A", "")
        assert said.isascii()


class TestBytes:
    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            ("pdf", pdf()),
            ("png", PNG),
            ("jpg", b"\xff\xd8\xff\xe0rest"),
            ("xlsx", office()),
            ("docx", office("word/")),
            ("zip", office("xl/")),
            ("csv", "name;größe\nA;1\n".encode("cp1252")),
            ("csv", "name;x\n".encode("utf-16")),
            ("json", b'{"a": [1]}'),
            ("xml", b'<?xml version="1.0"?><orders/>'),
        ],
    )
    def test_takes_what_is_what_it_says(self, kind, content):
        assert refusal(kind, content) is None

    @pytest.mark.parametrize(
        ("kind", "content", "word"),
        [
            ("pdf", b"", "empty"),
            ("pdf", PNG, "bytes"),
            ("pdf", b"\n" + pdf(), "bytes"),
            ("pdf", pdf() + office(), "mixed"),
            ("png", PNG + office(), "mixed"),
            ("csv", b"a,b\n\x00\x01", "bytes"),
            ("csv", pdf(), "bytes"),
            ("txt", b"<!DOCTYPE html><script>x</script>", "bytes"),
            ("xml", b'<?xml version="1.0"?><svg onload="x"/>', "bytes"),
            ("xlsx", office("word/"), "bytes"),
            ("xlsx", office(more="xl/vbaProject.bin"), "macros"),
            ("xlsx", b"PK\x03\x04" + b"x" * 200, "bytes"),
            ("zip", office()[:-30], "bytes"),
            ("zip", pdf() + office(), "bytes"),
        ],
    )
    def test_refuses_what_is_something_else(self, kind, content, word):
        assert refusal(kind, content) == word


class TestRoom:
    def test_ends_where_the_place_is_full(self):
        check_room(SLOT, 1, ["one"])
        with pytest.raises(PlaceFull):
            check_room(SLOT, 1, ["one", "two"])
