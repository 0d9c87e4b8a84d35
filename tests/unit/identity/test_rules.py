"""What a token, an address, a nonce and a way back may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.rules import clean_address, is_nonce, is_token, local_path, new_token, nonce_for, token_digest


class TestTokens:
    def test_are_256_random_bits_and_kept_as_their_hash(self):
        one, two = new_token(), new_token()
        assert one.text != two.text
        assert is_token(one.text)
        assert one.digest == token_digest(one.text)
        assert one.text not in repr(one)

    @given(st.text())
    def test_are_nothing_else(self, text):
        assert is_token(text) == (len(text) == 43 and all(c.isascii() and (c.isalnum() or c in "-_") for c in text))


class TestNonces:
    def test_fit_one_browser_and_one_link(self):
        knock, other, link = new_token().text, new_token().text, new_token().text
        nonce = nonce_for(knock, link)
        assert is_nonce(nonce, knock, link)
        assert not is_nonce(nonce, other, link)
        assert not is_nonce(nonce, knock, other)

    @pytest.mark.parametrize("given", ["", "x", "é"])
    def test_that_are_made_up_do_not_fit(self, given):
        assert not is_nonce(given, new_token().text, new_token().text)

    def test_of_a_browser_without_a_cookie_do_not_fit(self):
        link = new_token().text
        assert not is_nonce(nonce_for("", link), "", link)


class TestCleanAddress:
    @pytest.mark.parametrize("typed", ["Dana@Example.com", " dana@example.com\n", "DANA@EXAMPLE.COM"])
    def test_knows_one_spelling(self, typed):
        assert clean_address(typed) == "dana@example.com"

    @pytest.mark.parametrize(
        "typed", ["", "a", "a@b", "@b.c", "a@", "a b@c.d", "a@b.c, d@e.f", "a@b.c\r\nbcc:x@y.z", "a@b@c.d", "a\x00@b.c"]
    )
    def test_refuses_what_is_no_address(self, typed):
        assert clean_address(typed) is None


class TestLocalPath:
    @pytest.mark.parametrize("wished", ["/", "/t/1", "/t/1?a=b&c=/d", "/a#b", "/%2F%2Fevil"])
    def test_keeps_a_path_of_this_host(self, wished):
        assert local_path(wished) == wished

    @pytest.mark.parametrize(
        "wished",
        ["", "t", "//x", "/\\x", "\\x", "https://x", "javascript:x", "/a\nb", "/a\\b", "/ x", "/\x7f", "/" * 1001],
    )
    def test_never_leaves_the_host(self, wished):
        assert local_path(wished, otherwise="/home") == "/home"

    @given(st.text(max_size=60))
    def test_begins_with_exactly_one_slash_whatever_is_wished(self, wished):
        path = local_path(wished)
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
        assert not any(ord(c) <= 32 or c == "\x7f" for c in path)
