"""Tests of text from outside on a person's terminal: names, tags, messages and logs with control characters, and with
line ends that forge a line.
"""

import json
import logging
import os
import re
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from local_azure.faults import Fault

from rotator.cli import logs
from rotator.errors import AzureError
from rotator.visible import argument, escaped, one_line
from tests.cli.scene import NAME, PASSWORD, Said, Scene
from tests.cli.test_deploying import _manifest

ROOT = Path(__file__).parent.parent.parent
FORGED = "FORGED  nothing is wrong"
LINES = "".join(f"{end}{FORGED}" for end in ("\r\n", "\x85", "\u2028", "\v", "\x1c"))
EVIL = (
    f"a\x1b[2J\x1b]8;;http://x\x07b\x9b31m{LINES}\u202e\u2066\u200b\ufeff\t\x00\U000e0041 $(touch x) `id` 'q' \\ ü שלום"
)
"""Sequences of ECMA-48 in both codings, OSC 8, every kind of line end, bidi overrides and isolates, characters without
width; and letters that stay.
"""
READING = (
    ("plan",),
    ("status", "-v"),
    ("history", NAME, "-v"),
    ("doctor", "-v"),
    ("discover", "--all"),
    ("manifest", NAME, "mycontainer"),
)
ACTING = (
    ("rotate",),
    ("rotate", "--force"),
    ("adopt", NAME),
    ("revoke", NAME, "--yes", "--no-wait"),
    ("grant", NAME),
    ("rotate", NAME, "--compromised", "--yes"),
)


def harmless(text: str) -> None:
    """Check that no control character reaches the terminal, and that no line begins with forged text."""
    assert [char for char in text if char != "\n" and acts(char)] == []
    assert [line for line in text.split("\n") if line.strip().startswith(FORGED)] == []


def acts(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def both(said: Said) -> str:
    assert said.raised is None, said.raised
    return said.out + said.err


@pytest.fixture(name="evil")
def _evil(rotator: Scene) -> Scene:
    """Return a world with harmful names for each object that others may name."""
    azure = rotator.azure
    rotator.application.display_name = EVIL
    found = azure.directory.principal(rotator.application.app_id)
    assert found
    found.display_name = EVIL
    azure.directory.add_password(rotator.application, display_name=EVIL)
    rotator.password.display_name = EVIL
    stored = azure.container_groups.state.groups[rotator.group_id().lower()].resource
    stored["tags"] = {"owner": EVIL, EVIL[:60]: "x"}
    stored["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": EVIL, "value": EVIL},
        {"name": f"{EVIL}2"},
    ]
    stored["properties"]["imageRegistryCredentials"].append(
        {"server": EVIL, "username": rotator.application.app_id, "password": "x"}
    )
    azure.vaults.set("myvault", PASSWORD, rotator.password.secret, tags={"rotator-home": EVIL, "owner": EVIL})
    other = azure.directory.create_application(EVIL)
    azure.directory.create_service_principal(other.app_id)
    rotator.deploy("another")
    theirs = azure.container_groups.state.groups[rotator.group_id("another").lower()].resource["properties"][
        "imageRegistryCredentials"
    ]
    theirs[0].update(username=other.app_id)
    theirs.append({"server": EVIL, "username": EVIL, "password": "x"})
    return rotator


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_no_name_acts_on_a_terminal_that_looks(evil: Scene, command: tuple[str, ...]) -> None:
    said = evil(*command)
    harmless(both(said))
    assert evil(*command, "--output", "json").out.isascii()


def test_no_name_acts_on_a_terminal_that_watches_a_run(evil: Scene) -> None:
    for command in ACTING:
        harmless(both(evil(*command, "-v")))
        evil.pass_(hours=30)


def test_no_message_of_azure_acts_whichever_service_says_it(evil: Scene) -> None:
    for operation in ("graph.*", "keyvault.*", "aci.*", "arm.*", "rbac.*", "acr.*", "entra.*"):
        evil.azure.faults.add(Fault(operation, "status", times=0, status=403, code="Forbidden", message=EVIL))
        for command in (
            *READING,
            ("rotate",),
            ("revoke", NAME, "--yes", "--no-wait"),
            ("adopt", NAME),
            ("deploy", NAME),
        ):
            harmless(both(evil(*command)))
        evil.azure.faults.clear()


def test_what_a_name_holds_is_shown_and_not_hidden(evil: Scene) -> None:
    said = evil("plan").out
    assert r"a\x1b[2J\x1b]8;;http://x\x07b\x9b31m" in said and r"\u202e\u2066\u200b" in said and "ü שלום" in said


def test_json_keeps_every_character(rotator: Scene) -> None:
    rotator.azure.directory.add_password(rotator.application, display_name="x\x1b\n\u202e")
    said = rotator("plan", "--output", "json")
    assert said.out.isascii() and any("x\x1b\n\u202e" in note["text"] for note in said.json["policies"][0]["notes"])


def test_the_logs_of_a_container_reach_no_terminal_as_they_are(rotator: Scene) -> None:
    _manifest(rotator.policies / "nightly.manifest", rotator)
    rotator.write(
        container_groups=[
            {"id": rotator.group_id()},
            {"id": rotator.group_id("nightly"), "manifest": "nightly.manifest"},
        ]
    )
    assert rotator("rotate", NAME, "--adopt").code == 0
    printed = "one\ttwo\r\n\x1b[31mred\x1b[0m 10%\r20%\n\x1b]0;title\x07\u2028\x85end\n\n"
    rotator.azure.registries.push(
        rotator.seeded.login_server, "nightly", "v1", exit_code=0, run_seconds=1, logs=printed
    )
    said = rotator("deploy", NAME, "--logs")
    assert said.code == 0
    assert said.out.split("\n")[1:] == [
        "one\ttwo",
        r"\x1b[31mred\x1b[0m 10%\r20%",
        r"\x1b]0;title\x07\u2028\x85end",
        "",
    ]
    assert rotator("deploy", NAME, "--logs", "--output", "json").json["logs"] == {"job": printed}


def test_a_line_of_a_log_is_one_records() -> None:
    record = logging.LogRecord(
        "azure", logging.WARNING, "x.py", 1, "asked for %s\nERROR rotator: all is lost", ("x",), None
    )
    shown = logs.Plain("%(levelname)s %(name)s: %(message)s").format(record)
    assert shown == "WARNING azure: asked for x\n    ERROR rotator: all is lost"


def test_a_usage_error_that_names_a_group_is_harmless(evil: Scene) -> None:
    content = json.dumps(evil.group_id() + "\x1b[2J")
    evil.write(container_groups=[{"id": evil.group_id()}, {"id": evil.group_id("another")}])
    harmless(both(evil("deploy", NAME, f"no\x1b[2J\n{FORGED}")))
    (evil.policies / "bad.yaml").write_text(f"principal: {content}\n? {json.dumps(EVIL)}\n: {json.dumps(EVIL)}\n")
    harmless(both(evil("validate")))


# commands for a person to paste


COMMANDS = re.compile(r"`((?:az|rotator) [^`]+)`|\$ ((?:az|rotator|docker|\$\{EDITOR).*)")


def commands(text: str) -> list[str]:
    return [one or other for one, other in COMMANDS.findall(text)]


def test_every_command_that_is_printed_is_one_command_whatever_the_names_are(rotator: Scene, tmp_path: Path) -> None:
    """A policy's file, a resource group and an image have names with shell syntax; bash takes each printed command for
    one, with the original names.
    """
    name = "a b;touch $HOME'(x)"
    (rotator.policies / f"{NAME}.yaml").unlink()
    odd = rotator.group_id().replace("myResourceGroup", "my(rg)")
    rotator.write(name, container_groups=[{"id": rotator.group_id()}, {"id": odd}])
    rotator.azure.faults.add(
        Fault("aci.containerGroups.get", "status", status=403, code="AuthorizationFailed", times=0)
    )
    rotator.azure.directory.add_password(rotator.application, display_name="by somebody")
    rotator.azure.registries.push(rotator.seeded.login_server, "hello-world", "v2")
    shown = both(rotator("plan")) + both(rotator("doctor")) + both(rotator("status", "-v"))
    shown += both(rotator("revoke", name, "--yes", "--no-wait")) + both(rotator("plan")) + both(rotator("rotate"))
    found = [each for each in commands(shown) if "touch" in each or "my(rg)" in each]
    assert any("my(rg)" in each for each in found) and len(found) > 4
    for command in found:
        words = shlex.split(command)
        assert any(name in word or word == odd for word in words), command
        probe = (
            f"az() {{ :; }}; rotator() {{ :; }}; EDITOR=true; cd {shlex.quote(str(tmp_path))};"
            f" HOME={shlex.quote(str(tmp_path))}; {command}"
        )
        assert subprocess.run(["/bin/bash", "-c", probe], check=False, capture_output=True).returncode == 0, command
    assert {file.name for file in tmp_path.iterdir()} == {"policies", "leases"}


@pytest.mark.parametrize(
    "text",
    [
        "my(rg)",
        "a b",
        "$(touch x)",
        "'",
        "",
        "a\nb'c\\d",
        "x\x1b[2J",
        "\udc80z",
        "\u202e'\"$(id)`",
        "ä\u2028é",
        "!x",
        "~",
    ],
)
def test_an_argument_is_one_word_of_bash_in_one_line(text: str) -> None:
    word = argument(text)
    assert not any(map(acts, word))
    said = subprocess.run(["/bin/bash", "-c", f"printf '%s\\0' {word}"], capture_output=True, check=True).stdout
    assert said.split(b"\0") == [os.fsencode(text), b""]


def test_what_is_seen_stays_as_it_is() -> None:
    assert escaped("Grüße, שלום, नमस्ते, 日本語 “x”…\n") == "Grüße, שלום, नमस्ते, 日本語 “x”…\n"
    assert one_line("a\r\nb\tc\udc80") == r"a\r\nb\tc\udc80"


def test_what_happened_is_one_line_whatever_it_names() -> None:
    error = AzureError(f"no group {EVIL}", service="x", state=f"{EVIL} stays.")
    harmless(escaped(str(error.diagnose())))
    assert len(str(error.diagnose()).split("\n")) == 3


def test_nothing_is_written_past_the_one_place() -> None:
    """All output to stdout or stderr goes through `rotator.cli.output`, or through rich, which writes no control
    character of a `Text`.
    """
    writes = re.compile(r"typer\.(echo|secho)\(|\bprint\(|sys\.std(out|err)\.write")
    allowed = {
        "cli/output.py",
        "cli/streams.py",
        "cli/__init__.py",
        "cli/progress.py",
        "cli/live.py",
        "cli/terminal.py",
        "demo/voice.py",
    }
    found = {
        str(file.relative_to(ROOT / "rotator"))
        for file in (ROOT / "rotator").rglob("*.py")
        if writes.search(file.read_text())
    }
    assert found <= allowed, found - allowed
