"""Tests of the second line of defence: the log's output if some code logged a secret after all."""

import json
import logging

import pytest

from rotator.cli import logs

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl"
CLIENT_SECRET = "abc8Q~" + "x" * 34
HIDDEN = [
    f"Authorization: Bearer {TOKEN}",
    "authorization bearer 0123456789abcdef",
    f"the token is {TOKEN}.",
    "grant_type=client_credentials&client_secret=hunter2hunter2&scope=x",
    '{"secretText": "hunter2hunter2", "keyId": "k"}',
    "{'password': 'hunter2hunter2'}",
    f"added {CLIENT_SECRET} to it",
    "asks https://me:hunter2@proxy.contoso.com/x",
    "asks https://a.blob.core.windows.net/c?sv=2021-08-06&sig=hunter2%3D&se=2027",
]
SHOWN = [
    "password_secret: mycontainerregistry-pull-pwd",
    "credential 3908f227-c59d-4916-9b0e-e76f2ac34446",
    "GET https://myvault.vault.azure.net/secrets/x?api-version=7.4&design=1",
    "git@github.com:a/b https://a/b@c",
]


@pytest.fixture(autouse=True)
def _as_before() -> object:
    yield
    logs.configure(0, as_json=False)


@pytest.mark.parametrize("text", HIDDEN)
def test_what_looks_like_a_secret_is_struck(text: str) -> None:
    found = logs.struck(text)
    assert "***" in found
    assert not any(secret in found for secret in ("hunter2", TOKEN, CLIENT_SECRET, "0123456789abcdef"))


@pytest.mark.parametrize("text", SHOWN)
def test_what_does_not_is_left(text: str) -> None:
    assert logs.struck(text) == text


def _raise(text: str) -> None:
    raise ValueError(text)


def _log(verbose: int, *, as_json: bool, name: str = "rotator.engine") -> None:
    logs.configure(verbose, as_json=as_json)
    try:
        try:
            _raise("hunter2 inside")
        except ValueError as inner:
            raise KeyError("hunter2 outside") from inner
    except KeyError:
        logging.getLogger(name).debug("it went %s", "wrong", exc_info=True)


def test_an_exception_shows_where_and_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    _log(2, as_json=False)
    err = capsys.readouterr().err
    assert "it went wrong" in err
    assert "ValueError" in err
    assert "KeyError" in err
    assert "in _raise" in err
    assert "hunter2 " not in "".join(
        line for line in err.splitlines() if "_raise(" not in line and "raise KeyError" not in line
    )


def test_and_so_it_does_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    _log(2, as_json=True)
    (line,) = capsys.readouterr().err.splitlines()
    body = json.loads(line)
    assert (body["v"], body["event"], body["level"], body["logger"], body["text"]) == (
        1,
        "log",
        "debug",
        "rotator.engine",
        "it went wrong",
    )
    assert "KeyError" in body["frames"]


@pytest.mark.parametrize(("verbose", "level", "name", "heard"), [
    (0, logging.INFO, "rotator.clients", False),
    (0, logging.WARNING, "rotator.clients", True),
    (0, logging.WARNING, "azure.identity", False),
    (1, logging.INFO, "rotator.clients", True),
    (1, logging.WARNING, "azure.identity", False),
    (2, logging.DEBUG, "azure.identity", True),
    (2, logging.DEBUG, "msal.token_cache", True),
    (2, logging.DEBUG, "httpx", True),
    (2, logging.DEBUG, "hpack.hpack", False),
    (2, logging.DEBUG, "h2", False),
])  # fmt: skip
def test_who_speaks(verbose: int, level: int, name: str, heard: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(verbose, as_json=False)
    logging.getLogger(name).log(level, "hello")
    assert bool(capsys.readouterr().err) == heard
