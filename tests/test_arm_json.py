"""Tests of the credentials with which a group pulls: one reading of its JSON, in any letter case."""

import re
from pathlib import Path
from typing import Any

import pytest

from rotator import container_group
from rotator.arm_json import TOKEN, principal_of, pulls_as, shows_app_id
from rotator.clients.group_list import GroupList
from rotator.discovery import Listed, app_ids
from tests.container_group.documents import APP_ID, CORPUS, RESOURCES, document, observed, policy, seen_group

GROUP = f"{RESOURCES}/Microsoft.ContainerInstance/containerGroups/listed"


def may_pull_as(shown: Any, app_id: str) -> bool:
    return bool(GroupList.of([{**shown, "id": GROUP}]).may_use(app_id))


def hides_secret(shown: Any) -> bool:
    return bool(GroupList.of([{**shown, "id": GROUP}]).hiding)


ROOT = Path(__file__).parent.parent
NAMES = sorted(file.stem for file in CORPUS.glob("*.json"))
AS_DATA = {"tags", "userAssignedIdentities", "secret"}
"""Objects whose keys are names given by people."""


def shouted(node: Any) -> Any:
    """Return the JSON with property names and user names in capitals."""
    if isinstance(node, dict):
        return {key.upper(): value if key in AS_DATA else shouted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shouted(each) for each in node]
    return node.upper() if isinstance(node, str) and node.lower() == APP_ID else node


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_a_subscription_names_every_group_that_depends_on_the_principal(name: str) -> None:
    for shown in (document(name), shouted(document(name))):
        depends = bool(container_group.dependents(policy(), observed(seen_group(name, shown))))
        assert (
            may_pull_as(shown, APP_ID)
            == may_pull_as(shown, APP_ID.upper())
            == (pulls_as(shown, APP_ID) or shows_app_id(shown, APP_ID))
        )
        assert may_pull_as(shown, APP_ID) or not depends


@pytest.mark.parametrize("name", NAMES)
def test_letter_case_changes_nothing_of_who_pulls_with_what(name: str) -> None:
    shown, loud = document(name), shouted(document(name))
    with_references = app_ids([Listed("s", (shown,))])
    assert with_references == app_ids([Listed("s", (loud,))])
    assert container_group.user_names(loud) == container_group.user_names(shown)
    assert set(container_group.user_names(shown)) <= set(with_references)
    assert (may_pull_as(loud, APP_ID), hides_secret(loud)) == (may_pull_as(shown, APP_ID), hides_secret(shown))


def test_a_registrys_own_token_is_no_principals_password() -> None:
    entry = {"server": "mycontainerregistry.azurecr.io", "username": f" {TOKEN} "}
    assert principal_of(entry) is None
    assert container_group.user_names({"properties": {"imageRegistryCredentials": [entry]}}) == ()
    assert principal_of({**entry, "username": APP_ID.upper()}) == APP_ID
    assert principal_of({**entry, "username": APP_ID, "identity": "/subscriptions/s"}) is None
    assert principal_of({**entry, "username": APP_ID, "passwordReference": "pull"}) is None


def test_there_is_one_pattern_of_entras_passwords_and_one_of_guids() -> None:
    source = {str(file.relative_to(ROOT)): file.read_text() for file in (ROOT / "rotator").rglob("*.py")}
    assert [file for file in sorted(source) if re.search(r"Q~\[", source[file])] == ["rotator/secret.py"]
    assert [file for file in sorted(source) if re.search(r"\{8\}\(?-", source[file])] == ["rotator/resource_id.py"]


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        *((each, True) for each in ("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "AzureAd__ClientSecret", "AZURE_PASSWORD")),
        *((each, True) for each in ("SERVICE_PRINCIPAL_KEY", "servicePrincipalKey", "AAD_APP_SECRET", "MicrosoftAppPassword")),
        *((each, True) for each in ("SPRING_CLOUD_AZURE_CREDENTIAL_CLIENT_SECRET", "ACR_PWD", "ENTRA_SECRET", "CLIENT_CREDENTIAL")),
        *((each, False) for each in ("DB_PASSWORD", "API_KEY", "CLIENT_KEY", "REDIS_URL", "JWT_SECRET", "STORAGE_KEY", "PRINCIPAL")),
    ],
)  # fmt: skip
def test_a_hidden_variable_is_known_by_its_name_for_a_principals_password(name: str, hidden: bool) -> None:
    container = {"name": "app", "properties": {"image": "x", "environmentVariables": [{"name": name}]}}
    shown = {"location": "x", "properties": {"containers": [container], "osType": "Linux"}}
    assert hides_secret(shown) is hidden
