"""What software sends, read strictly: places as JSON Pointers, numbers as JSON knows them, versions as HTTP does."""

from __future__ import annotations

import contextlib
import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Request
from litestar.testing import RequestFactory

from app.web.wire.answering import etag_of, write
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    PreconditionUnfit,
    QueryUnfit,
    is_known,
    pointer_of,
    read_body,
    read_match,
    read_query,
)


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    n: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str = "x"
    inner: Inner | None = None
    many: list[Inner] = []


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    limit: int = 5
    q: str = ""


def request(**headers: str) -> Request[Any, Any, Any]:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFactory().post("/", headers={"content-type": "application/json"} | said)


def asking(query: str) -> Request[Any, Any, Any]:
    asked = RequestFactory().get("/")
    asked.scope["query_string"] = query.encode()
    return asked


class TestReadBody:
    @pytest.mark.parametrize(
        ("sent", "place"),
        [
            ({"inner": {"n": 10}}, "/inner/n"),
            ({"many": [{"n": 1}, {"n": "1"}]}, "/many/1/n"),
            ({"many": [{"n": 1, "m": 2}]}, "/many/0"),
            ({"name": "a\x00"}, "/name"),
            ({"many": [{"a/b~c": "\x1f"}]}, "/many/0/a~1b~0c"),
            ({"\x7f": 1}, ""),
            (7, ""),
        ],
    )
    def test_names_the_place_that_does_not_fit(self, sent, place):
        with pytest.raises(BodyUnfit) as refused:
            read_body(request(), json.dumps(sent).encode(), Outer)
        assert refused.value.errors[0][0] == place

    @pytest.mark.parametrize("raw", [b"", b"{", b"nul", b'"\\ud800"', b'"\xff"', b"[" * 200_000, b"{}{}"])
    def test_refuses_what_is_not_json(self, raw):
        with pytest.raises(BodyUnreadable):
            read_body(request(), raw, Outer)

    @pytest.mark.parametrize("written", ["7", "7.0", "70e-1", "0.7e1"])
    def test_knows_that_json_has_one_kind_of_number(self, written):
        assert read_body(request(), f'{{"inner": {{"n": {written}}}}}'.encode(), Outer).inner == Inner(7)

    @pytest.mark.parametrize("written", ["7.5", "1e400", "-1", "true", "1" * 400])
    def test_takes_no_other_number_for_an_integer(self, written):
        with pytest.raises((BodyUnfit, BodyUnreadable)):
            read_body(request(), f'{{"inner": {{"n": {written}}}}}'.encode(), Outer)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
        )
    )
    def test_either_reads_or_refuses(self, sent):
        with contextlib.suppress(BodyUnfit, BodyUnreadable):
            read_body(request(), json.dumps(sent).encode(), Outer)


class TestReadQuery:
    @pytest.mark.parametrize("query", ["limit=x", "limit=1&limit=2", "other=1", "q=%00", "limit=", "limit=1.5"])
    def test_refuses_what_is_not_asked_for(self, query):
        with pytest.raises(QueryUnfit):
            read_query(asking(query), Asked)

    def test_reads_what_is(self):
        assert read_query(asking("limit=7&q=a%20b"), Asked) == Asked(7, "a b")


class TestVersions:
    def test_are_the_same_for_the_same_facts_only(self):
        assert etag_of(write({"a": 1, "b": 2})) == etag_of(write({"b": 2, "a": 1})) != etag_of(write({"a": 1}))

    def test_are_compared_strongly_for_a_change_and_weakly_for_a_read(self):
        assert read_match(request(if_match='"a", W/"b"')) == {'"a"', 'W/"b"'}
        assert read_match(request(if_match=" * ")) == {"*"}
        assert is_known(request(if_none_match='W/"a", "b"'), '"a"')
        assert not is_known(request(if_none_match='"c"'), '"a"')

    @pytest.mark.parametrize("said", ["a", '"a', '"a" "b"', ",", '"a",', "**"])
    def test_that_are_none_are_refused(self, said):
        with pytest.raises(PreconditionUnfit):
            read_match(request(if_match=said))


class TestPointerOf:
    @pytest.mark.parametrize(
        ("said", "pointer"),
        [("", ""), ("$", ""), ("$.a", "/a"), ("$.items[3].name", "/items/3/name"), ("$[0]", "/0"), ("$.a[...]", "/a")],
    )
    def test_is_what_msgspec_says_in_other_words(self, said, pointer):
        assert pointer_of(said) == pointer
