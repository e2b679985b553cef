"""Tests of hidden variables that may hold the principal's password, with the many ways to name a user in a group."""

import itertools
from typing import Any

import pytest

from rotator.arm_json import shown_values
from rotator.container_group import Document
from rotator.container_group.embedded_password import signing_in, unsaid
from tests import worlds

OURS, OTHER = worlds.APP_ID, "0be7a70a-0000-4000-8000-000000000000"
NAMED = (
    *("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "SP_PASSWORD", "ACR_PASSWORD", "clientSecret", "AzureAd__ClientSecret"),
    *("servicePrincipalKey", "AZURE_SP_PWD", "REGISTRY_PASSWORD", "AAD_SECRET", "DOCKER_PASSWORD", "azure_credentials"),
)  # fmt: skip
SHOWN: dict[str, dict[str, Any]] = {
    "a client id": {"environmentVariables": [{"name": "AZURE_CLIENT_ID", "value": OURS}]},
    "a client id in capitals": {"environmentVariables": [{"name": "ARM_CLIENT_ID", "value": OURS.upper()}]},
    "a client id in braces": {"environmentVariables": [{"name": "AppId", "value": f"{{{OURS}}}"}]},
    "any name": {"environmentVariables": [{"name": "WHO", "value": f" {OURS}\n"}]},
    "a connection string": {
        "environmentVariables": [{"name": "AUTH", "value": f"RunAs=App;AppId={OURS};TenantId={OTHER}"}]
    },
    "JSON": {"environmentVariables": [{"name": "SP", "value": f'{{"clientId": "{OURS}", "tenantId": "{OTHER}"}}'}]},
    "az login in a shell": {
        "command": ["sh", "-c", f"az login --service-principal -u {OURS} -p $SP_PASSWORD -t {OTHER} && run"]
    },
    "docker login": {"command": ["login", "--username", OURS]},
    "an option with its value": {"command": ["run", f"--client-id={OURS.upper()}"]},
}


def document(container: dict[str, Any], hidden: str, *, init: bool = False) -> Document:
    """Return an undeclared group that pulls as another principal."""
    shown = worlds.document({"id": "other", "username": "else"})
    (first,) = shown["properties"]["containers"]
    variables = [*container.get("environmentVariables", ()), {"name": hidden}]
    made = {"image": "x", **container, "environmentVariables": variables}
    if init:
        shown["properties"]["initContainers"] = [{"name": "setup", "properties": made}]
    else:
        first["properties"] |= made
    return Document(shown, worlds.policy({}), None)


@pytest.mark.parametrize("how", SHOWN)
def test_a_group_that_shows_the_app_id_in_any_way_is_asked_about(how: str) -> None:
    for name, init in itertools.product(NAMED, (False, True)):
        path = f"{'init_containers/setup' if init else 'containers/app'}/env/{name}"
        assert (name, unsaid(document(SHOWN[how], name, init=init))) == (name, (path,))
    assert unsaid(document(SHOWN[how], "LOG_LEVEL")) == ()
    asked = document(SHOWN[how], "AZURE_CLIENT_SECRET")
    assert signing_in(asked) == ("containers/app/env/AZURE_CLIENT_SECRET",)
    asked.body["properties"]["containers"][0]["properties"]["environmentVariables"][-1]["secureValue"] = "said"
    assert signing_in(Document(asked.body, asked.policy, None)) == (), "a manifest says it"


@pytest.mark.parametrize(
    "value", [OTHER, OURS[:-1], f"{OURS}0", f"a{OURS}", f"{OURS}-x", OURS.replace("-", ""), "", "x" * 40]
)
def test_a_group_that_shows_another_id_is_none_of_ours(value: str) -> None:
    made = {"environmentVariables": [{"name": "AZURE_CLIENT_ID", "value": value}], "command": ["run", value]}
    for name in NAMED:
        assert unsaid(document(made, name)) == ()


def test_a_container_that_signs_in_as_another_is_not_asked_about_unless_it_shows_ours_too() -> None:
    other = {"environmentVariables": [{"name": "AZURE_CLIENT_ID", "value": OTHER}]}
    shown = worlds.document({"id": "other"})
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        *other["environmentVariables"],
        {"name": "AZURE_CLIENT_SECRET"},
    ]
    assert unsaid(Document(shown, worlds.policy({}), None)) == ()
    both = {**other, "command": ["az", "login", "-u", OURS]}
    assert unsaid(document(both, "SP_PASSWORD")) == ("containers/app/env/SP_PASSWORD",)


@pytest.mark.parametrize("odd", [None, 7, "text", {"a": 1}, [7, None, {}]])
def test_a_command_of_another_type_shows_nothing(odd: Any) -> None:
    assert shown_values({"properties": {"command": odd}}) == frozenset()
