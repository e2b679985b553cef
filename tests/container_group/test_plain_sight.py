"""Tests of passwords that a container group shows in plain sight, and of what is none."""

from base64 import b64encode
from typing import Any

import pytest

from rotator.container_group import Document
from rotator.container_group.plain_sight import shown_passwords
from tests import worlds

PASSWORD = "Abc8Q~-rstu_vwxyz.0123456789ABCDEFGHIJKL"
AUTH = b64encode(f"{worlds.APP_ID}:{PASSWORD}".encode()).decode()
PROPERTIES = "properties.containers[0].properties"


def found(made: dict[str, Any], given: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    shown = worlds.document({"id": "app"})
    shown["properties"]["containers"][0]["properties"] |= made
    policy = worlds.policy({"groups": [{"id": "app", **(given or {})}]})
    return [(each.hint, each.place) for each in shown_passwords(Document(shown, policy, policy.container_groups[0]))]


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        PASSWORD[:37],
        f"az login --service-principal -u {worlds.APP_ID} -p{PASSWORD} && run",
        f"RunAs=App;AppId={worlds.APP_ID};ClientSecret={PASSWORD};TenantId=x",
        f'{{"auths": {{"x.azurecr.io": {{"auth": "{AUTH}"}}}}}}',
        AUTH.rstrip("="),
        AUTH.replace("+", "-").replace("/", "_"),
    ],
    ids=["bare", "the shortest", "az login", "a connection string", "Docker's file", "without padding", "for URLs"],
)
def test_a_password_is_found_in_every_place_in_plain_sight(text: str) -> None:
    assert found({"command": ["sh", "-c", text]}) == [("Abc", f"{PROPERTIES}.command[2]")]
    probe = {"livenessProbe": {"exec": {"command": [text]}}}
    assert found(probe) == [("Abc", f"{PROPERTIES}.livenessProbe.exec.command[0]")]
    variable = {"environmentVariables": [{"name": "A", "value": text}]}
    assert found(variable) == [("Abc", f"{PROPERTIES}.environmentVariables[0].value")]


def test_a_variable_of_which_the_policy_says_whose_password_it_has_does_not_count() -> None:
    said = {"secrets": {"containers/app/env/A": {"key_vault": "value"}}}
    variables = [{"name": "A", "value": PASSWORD}, {"name": "B", "value": PASSWORD.replace("Abc", "xyz")}]
    assert found({"environmentVariables": variables}, said) == [("xyz", f"{PROPERTIES}.environmentVariables[1].value")]


@pytest.mark.parametrize(
    "text", ["", "x" * 60, PASSWORD[:20], b64encode(b"\xff" * 60).decode(), "=" * 80, "A" * 49, "ж" * 60]
)
def test_other_texts_show_none(text: str) -> None:
    assert found({"command": [text]}) == []
