"""Where a list goes on, from answers that mean well and from those that do not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.kit.answers.paging import Pages, PagesEndless
from app.connectors.kit.manifest import Paging
from app.kernel.outbound.client import OutboundResponse

URL = "https://api.x.example/v1/things?limit=2"
CURSOR = Paging("cursor", "data", param="after", next="/next")
LAST = Paging("cursor", "data", param="after", next="/data/-1/id", more="/more")
OFFSET = Paging("offset", "data", param="skip", size=2)
LINK = Paging("link", "data")
NEXT = Paging("next_url", "data", next="/next")


def follow(paging, document, *, url=URL, most=10**6, headers=None, pages=None):
    pages = pages or Pages(paging)
    content = json.dumps(document).encode()
    pages.take(document, len(content))
    return pages.next_url(url, OutboundResponse(200, headers or {}, content, 0.0), most), pages


def link(text):
    return {"link": text}


_ENDS: tuple[Any, ...] = ("", None, True, [], {})


class TestNext:
    @pytest.mark.parametrize(
        ("paging", "document", "headers", "found"),
        [
            (CURSOR, {"data": [1], "next": "b c"}, {}, f"{URL}&after=b+c"),
            (CURSOR, {"data": [1], "next": 7}, {}, f"{URL}&after=7"),
            *((CURSOR, {"data": [1], "next": end}, {}, None) for end in _ENDS),
            (CURSOR, {"data": [1]}, {}, None),
            (LAST, {"data": [{"id": "a"}, {"id": "b"}], "more": True}, {}, f"{URL}&after=b"),
            (LAST, {"data": [{"id": "a"}], "more": False}, {}, None),
            (LAST, {"data": [], "more": True}, {}, None),
            (OFFSET, {"data": [1, 2]}, {}, f"{URL}&skip=2"),
            (OFFSET, {"data": [1]}, {}, None),
            (LINK, {"data": [1]}, link('</v1/things?page=2>; rel="next"'), "https://api.x.example/v1/things?page=2"),
            (LINK, {"data": [1]}, link('<?page=1>; rel="prev", <?page=3>; rel=next'),
             "https://api.x.example/v1/things?page=3"),
            (LINK, {"data": [1]}, link('<?page=3>; rel="last"'), None),
            (LINK, {"data": [1]}, {}, None),
            (NEXT, {"data": [1], "next": "/v1/things?p=2#x"}, {}, "https://api.x.example/v1/things?p=2"),
            (NEXT, {"data": [1], "next": None}, {}, None),
        ],
    )  # fmt: skip
    def test_page_is_where_the_manifest_says(self, paging, document, headers, found):
        assert follow(paging, document, headers=headers)[0] == found

    @pytest.mark.parametrize(
        "address",
        [
            *("https://evil.example/x", "http://api.x.example/v1", "https://api.x.example:444/v1", "//evil.example/x"),
            *(
                "https://api.x.example@evil.example/",
                "javascript:alert(1)",
                "https://[::1",
                "https://api.x.example/\x00",
            ),
            "https://169.254.169.254/latest/meta-data/",
        ],
    )
    def test_page_is_never_at_another_host(self, address):
        with pytest.raises(PagesEndless):
            follow(NEXT, {"data": [1], "next": address})
        with pytest.raises(PagesEndless):
            follow(LINK, {"data": [1]}, headers=link(f"<{address}>; rel=next"))

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_page_never_leaves_its_host(self, address, header):
        for paging, document, headers in ((NEXT, {"data": [], "next": address}, {}), (LINK, {}, link(header))):
            try:
                found, _ = follow(paging, document, headers=headers)
            except PagesEndless:
                continue
            assert found is None or found.startswith("https://api.x.example/")

    def test_page_that_was_named_before_is_an_error(self):
        _, pages = follow(CURSOR, {"data": [1], "next": "a"})
        with pytest.raises(PagesEndless, match="second time"):
            follow(CURSOR, {"data": [2], "next": "a"}, url=f"{URL}&after=a", pages=pages)

    @pytest.mark.parametrize(
        ("paging", "most"),
        [
            (Paging("cursor", "data", param="p", next="/next", max_pages=1), 10**6),
            (Paging("cursor", "data", param="p", next="/next", max_rows=2), 10**6),
            (CURSOR, 10),
        ],
        ids=["pages", "rows", "bytes"],
    )
    def test_page_is_not_read_when_the_budget_is_spent(self, paging, most):
        found, pages = follow(paging, {"data": [1, 2, 3], "next": "a"}, most=most)
        result = pages.result({"data": [3], "kept": True})
        assert (found, result["complete"], result["kept"]) == (None, False, True)
        assert len(result["data"]) <= paging.max_rows
