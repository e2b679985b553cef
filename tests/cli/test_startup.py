"""Tests of commands that end before any request: help, versions, mistakes in options and policies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rotator import __version__
from tests.cli.scene import NAME, Scene

HEAVY = {
    "azure",
    "aiohttp",
    "msgraph",
    "msgraph_core",
    "kiota_http",
    "kiota_abstractions",
    "httpx",
    "starlette",
    "uvicorn",
    "tenacity",
}
COMMANDS = {"local_azure.cli", "local_azure.options", "local_azure.inside"}
"""Modules of the emulator that only declare its commands."""
POLICIES = {"yaml", "ruamel", "rotator.policy", "rotator.container_group", "rotator.ports"}
LOADED = """
import sys
from rotator.cli import main
try:
    main()
finally:
    print("loaded", *{name.split(".")[0] for name in sys.modules}, *[name for name in sys.modules if "." in name], file=sys.stderr)
"""
MISTAKEN = """\
principal: {app_id: nobody}
registries: []
key_vault: {url: "http://myvault", password_secret: my_secret}
rotation: {validity: 90, renew_befor: 30d}
"""
KEY = "9b430154-be5e-470f-93bd-bd7d709aa1c3"
VERBS = (
    "validate",
    "doctor",
    "plan",
    "status",
    "history",
    "provision",
    "rotate",
    "revoke",
    "grant",
    "adopt",
    "deploy",
    "manifest",
    "emulator",
    "demo",
)


def loaded(*arguments: str, policies: Path) -> set[str]:
    environment = {**os.environ, "ROTATOR_POLICIES": str(policies)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("rotate", "--help")], ids=" ".join)
def test_help_loads_nothing_that_reads_policies(arguments: tuple[str, ...], rotator: Scene) -> None:
    modules = loaded(*arguments, policies=rotator.policies)
    assert not modules & {*POLICIES, "pydantic", "asyncio", "rotator.state"}


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("rotate", "--help"), ("emulator", "--help"), ("validate",)],
    ids=" ".join,
)
def test_no_sdk_is_loaded_for(arguments: tuple[str, ...], rotator: Scene) -> None:
    modules = loaded(*arguments, policies=rotator.policies)
    assert "typer" in modules
    assert not modules & HEAVY
    assert not [
        name
        for name in modules
        if name.startswith(("rotator.clients", "rotator.engine", "local_azure.")) and name not in COMMANDS
    ]


def test_readers_of_manifests_are_not_loaded_where_no_policy_names_one(rotator: Scene) -> None:
    modules = loaded("validate", policies=rotator.policies)
    assert "rotator.policy.manifest_names" in modules
    assert not modules & {"rotator.policy.manifest_file", "rotator.policy.arm_template", "rotator.policy.resource"}


def test_the_version_is_the_packages(rotator: Scene) -> None:
    assert rotator("--version").out == f"rotator {__version__}\n"


def test_every_verb_says_what_it_is_for(rotator: Scene) -> None:
    listed = rotator("--help").out.split("Commands:")[1]
    for verb in VERBS:
        (line,) = [text for text in listed.splitlines() if text.split()[:1] == [verb]]
        assert len(line.split()) > 3
        assert rotator(verb, "--help").code == 0


@pytest.mark.parametrize("verb", ["validate", "plan", "status", "rotate"])
def test_mistakes_in_a_policy_are_all_told_at_once_and_nothing_is_asked(verb: str, rotator: Scene) -> None:
    (rotator.policies / f"{NAME}.yaml").rename(rotator.policies / "bad.yaml").write_text(MISTAKEN)
    said = rotator(verb)
    assert said.code == 2
    assert said.out == ""
    mistakes = [text for text in said.err.splitlines() if "bad.yaml:" in text]
    assert len(mistakes) == 6
    assert [text.split(":")[1] for text in mistakes] == sorted(text.split(":")[1] for text in mistakes)
    assert rotator.served() == []


def test_mistakes_are_an_object_each_for_programs(rotator: Scene) -> None:
    (rotator.policies / f"{NAME}.yaml").rename(rotator.policies / "bad.yaml").write_text(MISTAKEN)
    body = rotator("plan", "--output", "json").json
    assert (body["version"], body["command"], body["exit_code"]) == (1, "plan", 2)
    assert len(body["error"]["mistakes"]) == 6


@pytest.mark.parametrize(
    "arguments",
    [("plan", "nobody"), ("adopt", "nobody"), ("revoke", "nobody", "--yes"), ("deploy", "nobody")],
    ids=" ".join,
)
def test_an_unknown_policy_is_refused_with_the_known_names(arguments: tuple[str, ...], rotator: Scene) -> None:
    said = rotator(*arguments)
    assert said.code == 2
    assert "mycontainerregistry" in said.err
    assert rotator.served() == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("rotate", "--key-id", "k"), "add --compromised"),
        (("rotate", "--compromised", "--yes"), "the names of the policies"),
        (("rotate", "a", "b", "--compromised", "--key-id", "k"), "needs the name of one policy"),
        (("rotate", "mycontainerregistry", "--compromised", KEY, "--yes"), f"write --key-id {KEY}"),
        (("rotate", KEY, "mycontainerregistry", "--compromised", "--yes"), f"write --key-id {KEY}"),
        (("rotate", "--adopt", "--dry-run"), "--dry-run changes nothing"),
        (("rotate", "--max-duration", "10"), "write 10m"),
        (("rotate", "mycontainerregistry", "--compromised"), "add --yes"),
        (("rotate", "--accept-outage"), "add --yes"),
        (("revoke", "mycontainerregistry"), "add --yes"),
        (("deploy", "mycontainerregistry", "nobody"), "declares no container group nobody; name one of: mycontainer"),
        *(
            (("deploy", "mycontainerregistry", *(word for image in images for word in ("--image", image))), why)
            for images, why in (
                (("app",), "app: write CONTAINER=REFERENCE"),
                (("app=",), "app=: write CONTAINER=REFERENCE"),
                (("app=a.io/w:1", "app=a.io/w:2"), "app=a.io/w:2: container app has one already"),
                (("app=https://a.io/w:1",), "begins with the registry's name, without a scheme"),
                (("app=a.io/Web:1",), "a repository has small letters only"),
                (("app=a.io/web:1 x",), "web@sha256:DIGEST"),
            )
        ),
        (("plan", "--cloud", "mars"), "mars"),
        (("provisoin",), "provisoin"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
def test_what_can_not_be_meant_is_a_usage_error(arguments: tuple[str, ...], why: str, rotator: Scene) -> None:
    said = rotator(*arguments)
    assert said.code == 2
    assert why in " ".join(said.err.split())
    assert said.out == ""
    assert rotator.served() == []


def test_where_policies_come_from_can_be_said(rotator: Scene, tmp_path: Path) -> None:
    said = rotator("validate", "--policies", str(tmp_path / "nowhere"))
    assert said.code == 2
    assert "nowhere" in said.err
    assert rotator("validate").out.startswith("mycontainerregistry: valid (")
