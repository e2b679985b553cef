"""Tests of I7 at the command line: every verb at debug level, without a secret in its output."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from local_azure.faults import Fault
from local_azure.wire import Request

from rotator.cli import logs
from rotator.cli.app import command_line
from tests.cli.scene import NAME, Said, Scene


def _listening(rotator: Scene) -> set[str]:
    """Collect every token and secret on the wire from now on."""
    seen: set[str] = set()

    def before(number: int, operation: str, request: Request) -> None:
        seen.update(part for part in request.headers.get("authorization", "").split() if len(part) > 10)
        form = parse_qs(request.body.decode(errors="replace")) if b"=" in request.body else {}
        seen.update(
            value
            for name in ("client_secret", "refresh_token", "access_token", "password")
            for value in form.get(name, [])
        )

    rotator.app.before = before
    return seen


def _life(record: Path) -> list[tuple[str, ...]]:
    """Return the verbs of rotator in an order in which each has work to do."""
    return [
        *(
            ("validate",),
            ("discover", "--all"),
            ("plan",),
            ("doctor", "-v"),
            ("status", "-v"),
            ("provision", NAME, "--yes"),
        ),
        *(
            ("adopt", NAME),
            ("rotate", NAME, "--force", "--no-overlap"),
            ("rotate", NAME, "--compromised", "--yes"),
            ("history", NAME),
        ),
        *(
            ("deploy", NAME, "--logs"),
            ("manifest", NAME, "mycontainer"),
            ("revoke", NAME, "--yes", "--record", str(record)),
            ("grant", NAME),
        ),
        ("schema",),
        *(("revoke", NAME, "--yes", "--credentials"), ("doctor",), ("grant", NAME), ("rotate", NAME)),
    ]


def test_every_verb_is_listened_to(tmp_path: Path) -> None:
    verbs = {each.name or getattr(each.callback, "__name__", "") for each in command_line().registered_commands}
    of_a_queue = {"enqueue", "work"}  # the same two halves are listened to in tests/test_function_app.py
    assert {verb for verb, *_ in _life(tmp_path)} == verbs - {"demo"} - of_a_queue


def _everything(rotator: Scene, record: Path, *options: str) -> list[Said]:
    """Run every verb, and rotations with faults; return the outputs."""
    said = [rotator(*verb, *options) for verb in _life(record)]
    for number, operation in enumerate(("graph.*", "keyvault.secrets.*", "entra.*", "acr.*", "aci.*"), len(options)):
        rotator.azure.faults.add(Fault(operation, "status", status=(400, 403)[number % 2], nth=2))
        said += [rotator("rotate", NAME, "--force", *options), rotator("plan", *options)]
        rotator.azure.faults.clear()
    return said


@pytest.mark.share(2)
@pytest.mark.parametrize("options", [("-vv",), ("-vv", "--log-format", "json", "--output", "json")], ids=" ".join)
def test_no_secret_is_in_anything_that_is_written(
    options: tuple[str, ...], rotator: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "STRUCK", ())  # no code logs a secret in the first place: the filter has no work
    over_the_wire = _listening(rotator)
    said = _everything(rotator, tmp_path / "record.json", *options)
    secrets = rotator.azure.directory.every_secret() | over_the_wire
    assert len(rotator.azure.directory.every_secret()) > 4
    assert len(over_the_wire) > 4
    files = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    written = [text for one in said for text in (one.out, one.err, repr(one.raised))] + files
    assert any("azure.core" in text for text in written)
    for secret in secrets:
        assert not any(secret in text for text in written)
        assert not any(json.dumps(secret)[1:-1] in text for text in written)


def test_a_bug_is_told_by_its_type(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from rotator.clients.world import AzureWorld

    async def broken(*_: object, **__: object) -> object:
        raise KeyError(rotator.password.secret)

    monkeypatch.setattr(AzureWorld, "observe", broken)
    for verb in (("rotate",), ("plan",), ("status",), ("deploy", NAME)):
        said = rotator(*verb, "-vv")
        assert said.code == 1
        assert "KeyError" in said.out + said.err
        assert "in broken" in said.err
        assert rotator.password.secret not in said.out + said.err + repr(said.raised)
