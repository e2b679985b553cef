"""Tests of the environment's settings for the network: an unusable one is named before any request, and a proxy's
password is never shown.
"""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rotator.cli.app import command_line
from rotator.clients.surroundings import ensure_usable
from rotator.clients.transports import real
from rotator.errors import RotatorError
from tests.policy.test_policy import MINIMAL

HIDDEN = "s3cr3t"
BAD = {
    "http://[::bad": "can't be read",
    f"http://u:{HIDDEN}@host:99999": "can't be read",
    f"http://u:{HIDDEN}@b:c:d": "can't be read",
    f"http://u:{HIDDEN}@a..b:1": "can't be read",
    "http://h:0": "port is 0",
    "ftp://x": "begins with ftp://",
    f"https://u:{HIDDEN}@h:1": "begins with https://",
    f"socks5://u:{HIDDEN}@h:1": "begins with socks5://",
    "nonsense": "doesn't begin with http://",
    f"u:{HIDDEN}@h:8080": "doesn't begin with http://",
    "http://": "no host",
    "http://@:80": "no host",
    f"http://u:{HIDDEN} x@h:1": "white space",
    f"http://u:{HIDDEN}\x1b@h:1": "control character",
    f"http://u:{HIDDEN}€@h:1": "Basic authentication",
    f"http://u:{HIDDEN}%E2%82%AC@h:1": "Basic authentication",
}
GOOD = (
    "",
    "http://h:8080",
    "HTTP://h",
    "http://[::1]:80",
    f"http://u:{HIDDEN}@h:1",
    "http://ü.example:80",
    "http://h:80/",
    "http://u%zz:p%40@h:1",
)


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_can_not_be_used_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(RotatorError) as refused:
        ensure_usable({name: value})
    said = str(refused.value.diagnose())
    assert said.startswith(f"{name} is not a usable proxy address") and BAD[value] in said
    assert HIDDEN not in said and HIDDEN not in repr(refused.value)


@pytest.mark.parametrize("value", GOOD)
def test_a_proxy_that_can_be_used_is_no_mistake(value: str) -> None:
    ensure_usable(
        {
            "HTTPS_PROXY": value,
            "NO_PROXY": "[[[,*,ü, 10.0.0.0/8",
            "HTTP_PROXY": "ftp://x",
            "REQUESTS_CA_BUNDLE": "/nowhere",
        }
    )


def test_authorities_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    bad = (
        (tmp_path / "none", "No such file"),
        (text, "no certificate"),
        (tmp_path, "Is a directory"),
        (Path("a\0b"), "no file"),
    )
    for file, why in (*bad, (pipe, "isn't a plain file"), (Path("/dev/null"), "isn't a plain file")):
        with pytest.raises(RotatorError, match=f"SSL_CERT_FILE names .*{why}"):
            ensure_usable({"SSL_CERT_FILE": str(file)})


def test_it_is_looked_at_before_anything_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://x")
    with pytest.raises(RotatorError):
        real()


@pytest.mark.parametrize("verb", ["plan", "status", "rotate"])
def test_the_command_says_it_in_three_lines(verb: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(MINIMAL)
    environment = {"HTTPS_PROXY": f"http://u:{HIDDEN}@h:99999", "ROTATOR_LEASE_DIR": str(tmp_path / "leases")}
    ended = CliRunner().invoke(command_line(), [verb, "--policies", str(tmp_path), "-vv"], env=environment)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert (
        "HTTPS_PROXY is not a usable proxy address" in ended.stderr
        and HIDDEN not in ended.stderr
        and "bug" not in ended.stderr
    )


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("AZURE_TENANT_ID", "", "tenant"),
        ("AZURE_TENANT_ID", "../..", "tenant"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent.pem", "/nonexistent.pem: No such file or directory"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "/dev/null", "certificate"),
        ("AZURE_TOKEN_CREDENTIALS", "mine", "AZURE_TOKEN_CREDENTIALS"),
    ],
)
def test_an_identity_that_can_not_be_made_of_the_environment_is_a_sign_in_that_fails(
    name: str, value: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.yaml").write_text(MINIMAL)
    for other in [each for each in os.environ if each.startswith("AZURE_")]:
        monkeypatch.delenv(other)
    signed = {
        "AZURE_CLIENT_ID": "x",
        "AZURE_TENANT_ID": "y",
        **({} if "CERTIFICATE" in name else {"AZURE_CLIENT_SECRET": HIDDEN}),
    }
    ended = CliRunner().invoke(command_line(), ["plan", "--policies", str(tmp_path)], env={**signed, name: value})
    said = ended.output
    assert ended.exit_code == 1 and "rotator can't sign in: " in said and why in said and "AZURE_CLIENT_ID" in said, (
        said
    )
    assert "bug" not in said and HIDDEN not in said
