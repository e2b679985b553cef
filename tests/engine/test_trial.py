"""Tests of text around a right password: rotator finds and names it."""

import base64

import pytest

from rotator.engine.trial import around
from rotator.state import Secret

NEW, OLD = "-a.8Q~d.e-f~ghijklmnopqrstuvwxyz01234567", "aB3:/+[x]=.9-_?0123456789abcdefgh"
"""Passwords as Graph makes them now, and as it made them before 2021."""
STRIPPED = (
    *("*\n", "*\r\n", " *", "* ", "\t*", "*\n\n", "\ufeff*", "*\u200b", "\u00a0*\u00a0", "\ufeff*\r\n"),
    *('"*"', "'*'", "`*`", "\"'*'\"", '"*"\n', " '*' ", '\ufeff"*"\r\n', '" * "'),
)
FOUND = (
    *('"*', "*'", "'*\"", "\u201c*\u201d", "*,", '"*",', "*;", "*\\n", '\\"*\\"', "*\0", "<*>", "(*)", "$*", "b'*'"),
    *("password=*", "password: *", '{"password": "*"}', '["*"]', "AppId Password\n1234  *\n", "export P='*'; ls"),
)


@pytest.mark.parametrize("password", [NEW, OLD])
@pytest.mark.parametrize("text", STRIPPED)
def test_white_space_and_quotes_around_any_password_are_named(text: str, password: str) -> None:
    found = around(Secret(text.replace("*", password)))
    assert found and found[1].reveal() == password
    space, quotes = "white space or a line end" in found[0], "quotes" in found[0]
    assert (space, quotes) == (
        any(sign.isspace() or sign in "\ufeff\u200b" for sign in text),
        bool({*text} & {*"'\"`"}),
    )


@pytest.mark.parametrize("text", FOUND)
def test_other_text_around_what_looks_like_a_password_of_entra_is_named(text: str) -> None:
    found = around(Secret(text.replace("*", NEW)))
    assert found and (found[0], found[1].reveal()) == ("other text", NEW)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (NEW.replace("~", "%7E"), "URL encoding"),
        ("\n" + "".join(f"%{ord(sign):02x}" for sign in NEW), "URL encoding"),
        (base64.b64encode(NEW.encode()).decode(), "base64 encoding"),
        (base64.b64encode(f"{NEW}\n".encode()).decode() + "\n", "base64 encoding"),
    ],
)
def test_an_encoded_password_of_entra_is_named(text: str, name: str) -> None:
    found = around(Secret(text))
    assert found and (found[0], found[1].reveal()) == (name, NEW)


@pytest.mark.parametrize("value", ["a%20password%7E", "aGVsbG8="])
def test_an_encoded_text_that_looks_like_no_password_is_tried_once(value: str) -> None:
    assert around(Secret(value)) is None


@pytest.mark.parametrize("value", [NEW, OLD, "", " ", "'", "''", " '' ", "x", "no password at all", "a password of a"])
def test_a_value_with_nothing_around_it_is_tried_once(value: str) -> None:
    assert around(Secret(value)) is None
