"""The one byte form of a document is RFC 8785's, byte for byte, by whichever way it was written."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.templates.language import canonical
from app.templates.library import list_shelves, open_shelf

# Beyond the first plane UTF-16 and UTF-8 sort differently: 𝄞 stands before ﬀ in one and after it in the other.
LETTERS = st.characters(codec="utf-8") | st.sampled_from(
    ["\x00", "\x1b", "\x7f", "\u2028", "ﬀ", "\uffff", "𝄞", '"', "\\"]
)
WORDS = st.text(LETTERS, max_size=6)
NUMBERS = st.integers(-(2**60), 2**60) | st.sampled_from([2**53 - 1, 2**53, -(2**53)]) | st.floats(allow_nan=True)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
@settings(max_examples=300, deadline=None)
def test_is_what_the_reference_writes_or_refused_as_it_refuses(document):
    try:
        expected = rfc8785.dumps(document)
    except rfc8785.CanonicalizationError as refused:
        with pytest.raises(type(refused)):
            canonical(document)
    else:
        assert canonical(document) == expected


@pytest.mark.parametrize("name", list_shelves())
def test_is_so_for_every_template_of_the_library(name):
    shelf = open_shelf(name)
    for document in (shelf.template.document, *(overlay.document for overlay in shelf.overlays.values())):
        assert canonical(document) == rfc8785.dumps(dict(document))


@pytest.mark.parametrize("name", [1, None, True, ("a",)])
def test_refuses_a_name_that_is_no_text(name):
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical({"a": {name: "b"}})
