"""Tests of an edit: the written values, and their places."""

import base64
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Document
from rotator.errors import UnsafeStep
from rotator.policy import KeyVaultSource
from rotator.state import Secret
from tests.container_group.documents import (
    APP_ID,
    NEW,
    PASSWORD,
    SINCE,
    SUBSCRIPTION,
    declared,
    document,
    edited,
    manifest,
    policy,
    sourced,
)


def entries(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["properties"]["imageRegistryCredentials"]
    return found


def variables(body: dict[str, Any], container: int = 0) -> dict[str, dict[str, Any]]:
    listed = body["properties"]["containers"][container]["properties"]["environmentVariables"]
    return {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in listed}


def with_variables(*listed: dict[str, Any]) -> dict[str, Any]:
    shown = document("plain")
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = list(listed)
    return shown


def test_every_entry_of_the_principal_gets_the_password_and_nobody_elses() -> None:
    shown = document("several-registries")
    made, said = declared("several-registries", secrets=sourced(shown))
    mine, mine_too, foreign, identity = entries(edited(shown, made, said))
    assert mine == {
        "server": "mycontainerregistry.azurecr.io",
        "username": APP_ID,
        "isDelegatedIdentity": False,
        "password": PASSWORD.reveal(),
    }
    assert mine_too["password"] == PASSWORD.reveal()
    assert mine_too["username"] == APP_ID.upper()
    assert foreign["password"] == '{"value of": "s0"}'
    assert "password" not in identity


def test_the_hidden_password_of_somebody_else_needs_a_source() -> None:
    made, said = declared("several-registries")
    with pytest.raises(UnsafeStep, match=r"image_registry_credentials/third\.azurecr\.io/password"):
        edited(document("several-registries"), made, said)


def test_a_path_finds_its_place_whatever_the_case_of_the_names_of_resources() -> None:
    shown = document("several-registries")
    made, said = declared(
        "several-registries", secrets={"image_registry_credentials/THIRD.azurecr.io/password": {"key_vault": "theirs"}}
    )
    assert container_group.unsourced(Document(shown, made, said)) == ()


def test_a_path_finds_its_container_in_any_letters_and_its_variable_in_its_own() -> None:
    for path, found in (
        ("containers/APP/env/A", True),
        ("CONTAINERS/app/ENV/A", False),
        ("containers/app/env/a", False),
    ):
        made, said = declared("plain", secrets={path: {"key_vault": "x"}} if path.startswith("c") else {})
        assert (container_group.unsourced(Document(with_variables({"name": "A"}), made, said)) == ()) is found


def test_the_principal_s_own_passwords_are_not_told_as_hidden() -> None:
    assert container_group.hidden(document("several-registries"), APP_ID.upper()) == (
        "image_registry_credentials/third.azurecr.io/password",
    )


def test_an_entry_with_a_reference_or_an_identity_is_left_alone() -> None:
    for name in ("password-reference", "identity-only"):
        made, said = declared(name)
        shown = document(name)
        assert entries(edited(shown, made, said)) == entries(shown)


def test_a_secure_variable_is_put_back_and_a_plain_one_stays_plain() -> None:
    shown = with_variables(
        {"name": "A"},
        {"name": "B", "value": ""},
        {"name": "C", "value": "x"},
        {"name": "D", "secureValueReference": "r"},
    )
    secrets = {f"containers/app/env/{name}": {"key_vault": f"s-{name}"} for name in "ABCD"}
    made, said = declared("plain", secrets=secrets)
    assert container_group.sources(Document(shown, made, said)) == (KeyVaultSource(key_vault="s-A"),)
    assert variables(edited(shown, made, said)) == {
        "A": {"secureValue": '{"value of": "s-A"}'},
        "B": {"value": ""},
        "C": {"value": "x"},
        "D": {"secureValueReference": "r"},
    }


def test_variables_that_differ_only_in_case_are_two() -> None:
    made, said = declared("odd-letters", secrets={"containers/app/env/DB_PASSWORD": {"key_vault": "a"}})
    assert "containers/app/env/db_password" in container_group.unsourced(Document(document("odd-letters"), made, said))


def test_a_variable_that_takes_the_password_follows_it_and_becomes_secure() -> None:
    shown = with_variables({"name": "HIDDEN"}, {"name": "PLAIN", "value": "the old password"}, {"name": "USER"})
    secrets = {
        "containers/app/env/HIDDEN": {"credential": "password"},
        "containers/app/env/PLAIN": {"credential": "password"},
        "containers/app/env/USER": {"credential": "username"},
    }
    made, said = declared("plain", secrets=secrets)
    assert container_group.sources(Document(shown, made, said)) == ()
    assert variables(edited(shown, made, said)) == {
        "HIDDEN": {"secureValue": PASSWORD.reveal()},
        "PLAIN": {"secureValue": PASSWORD.reveal()},
        "USER": {"secureValue": APP_ID},
    }


def test_a_place_for_the_password_that_the_group_does_not_have_is_a_veto() -> None:
    made, said = declared("plain", secrets={"containers/app/env/TYPO": {"credential": "password"}})
    with pytest.raises(UnsafeStep, match="containers/app/env/TYPO"):
        edited(document("plain"), made, said)


def test_files_of_a_secret_volume_are_written_in_base64_all_of_them_and_no_other() -> None:
    shown = document("everything")
    secrets = sourced(shown) | {
        "volumes/certs/secret/one": {"key_vault": "ca"},
        "volumes/certs/secret/Two.PEM": {"key_vault": "key"},
    }
    del secrets["volumes/certs/secret/two.pem"]
    made, said = declared("everything", secrets=secrets)
    fetched = {source: Secret("naïve") for source in container_group.sources(Document(shown, made, said))} | {
        KeyVaultSource(key_vault="s4"): Secret("{}")
    }
    volumes = edited(shown, made, said, values=fetched)["properties"]["volumes"]
    encoded = base64.b64encode("naïve".encode()).decode()
    assert volumes[2] == {"name": "certs", "secret": {"one": encoded, "Two.PEM": encoded}}
    assert volumes[0]["azureFile"]["storageAccountKey"] == "naïve"
    assert "storageAccountKey" not in volumes[1]["azureFile"]


def test_a_secret_volume_with_no_file_named_is_a_veto() -> None:
    shown = document("everything")
    secrets = {path: source for path, source in sourced(shown).items() if not path.startswith("volumes/certs")}
    made, said = declared("everything", secrets=secrets)
    assert container_group.unsourced(Document(shown, made, said)) == ("volumes/certs/secret",)


def test_protected_settings_are_an_object_and_nothing_else() -> None:
    shown = document("everything")
    made, said = declared("everything", secrets=sourced(shown))
    body = edited(shown, made, said)
    assert isinstance(body["properties"]["extensions"][0]["properties"]["protectedSettings"], dict)
    fetched = {
        source: Secret("not json, but secret") for source in container_group.sources(Document(shown, made, said))
    }
    with pytest.raises(UnsafeStep, match="JSON object") as refused:
        edited(shown, made, said, values=fetched)
    assert "not json" not in str(refused.value.diagnose())
    assert refused.value.__cause__ is None and refused.value.__context__ is None


WORKSPACE = "diagnostics/log_analytics/workspace_resource_id"
LOGS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup/providers/Microsoft.OperationalInsights/workspaces/logs"


def analytics(document: Any) -> dict[str, Any]:
    found: dict[str, Any] = document["properties"]["diagnostics"]["logAnalytics"]
    return found


def test_a_workspace_whose_resource_id_nobody_states_is_a_veto_that_gives_both_answers_and_says_why() -> None:
    shown = document("everything")
    made, said = declared(
        "everything", secrets={path: source for path, source in sourced(shown).items() if path != WORKSPACE}
    )
    assert container_group.unsourced(Document(shown, made, said)) == (WORKSPACE,)
    with pytest.raises(UnsafeStep, match=WORKSPACE) as refused:
        edited(shown, made, said)
    _, why, none, other = refused.value.remedy.splitlines()
    assert "Azure never shows workspaceResourceId" in why
    assert none.strip() == f"{WORKSPACE}: {{value: none}}"
    assert other.strip().startswith(f"# {WORKSPACE}: {{value: /subscriptions/")


@pytest.mark.parametrize(
    ("source", "kept"),
    [({"value": "none"}, None), ({"value": LOGS}, LOGS), ({"key_vault": "workspace"}, '{"value of": "workspace"}')],
    ids=str,
)
def test_a_workspace_s_resource_id_is_what_the_policy_says_it_is(source: dict[str, str], kept: str | None) -> None:
    shown = document("everything")
    made, said = declared("everything", secrets=sourced(shown) | {WORKSPACE: source})
    assert analytics(edited(shown, made, said)).get("workspaceResourceId") == kept


@pytest.mark.parametrize("secrets", [{}, {WORKSPACE: {"value": "none"}}, {WORKSPACE: {"value": LOGS}}], ids=str)
def test_a_workspace_s_resource_id_that_azure_does_show_stays_as_it_is(secrets: dict[str, Any]) -> None:
    shown = document("everything")
    analytics(shown)["workspaceResourceId"] = "as shown"
    made, said = declared("everything", secrets=sourced(shown) | secrets)
    assert analytics(edited(shown, made, said))["workspaceResourceId"] == "as shown"


@pytest.mark.parametrize("written", [LOGS, None], ids=str)
def test_a_manifest_states_a_workspace_s_resource_id_or_that_there_is_none(written: str | None) -> None:
    shown = document("everything")
    author = {
        "properties": {
            "diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "k", "workspaceResourceId": written}}
        }
    }
    secrets = {path: source for path, source in sourced(shown).items() if path != WORKSPACE}
    made, said = declared("everything", secrets=secrets, manifest=manifest(author))
    assert analytics(edited(shown, made, said)).get("workspaceResourceId") == written


def test_a_manifest_without_a_workspace_says_nothing_of_its_resource_id() -> None:
    shown = document("everything")
    secrets = {path: source for path, source in sourced(shown).items() if path != WORKSPACE}
    made, said = declared("everything", secrets=secrets, manifest=manifest({"properties": {"containers": []}}))
    assert container_group.unsourced(Document(shown, made, said)) == (WORKSPACE,)


def test_a_secret_is_written_as_it_is_even_if_it_looks_like_a_placeholder() -> None:
    shown = with_variables({"name": "A"})
    made, said = declared("plain", secrets={"containers/app/env/A": {"key_vault": "a"}})
    tricky = "${{ credential:password }} and ${{ keyvault:b }}"
    assert variables(edited(shown, made, said, values={KeyVaultSource(key_vault="a"): Secret(tricky)}))["A"] == {
        "secureValue": tricky
    }


def test_a_value_that_was_not_read_is_a_veto() -> None:
    made, said = declared("plain", secrets={"containers/app/env/A": {"key_vault": "a"}})
    with pytest.raises(UnsafeStep, match="secret a was not read"):
        edited(with_variables({"name": "A"}), made, said, values={})


def test_property_names_keep_their_spelling() -> None:
    shown = document("odd-letters")
    made, said = declared("odd-letters", secrets=sourced(shown))
    (entry,) = edited(shown, made, said)["Properties"]["ImageRegistryCredentials"]
    assert entry == {
        "Server": "MYCONTAINERREGISTRY.AZURECR.IO",
        "UserName": APP_ID.upper(),
        "Password": PASSWORD.reveal(),
    }


def test_identities_keep_their_names_and_lose_what_azure_adds() -> None:
    shown = document("everything")
    made, said = declared("everything", secrets=sourced(shown))
    identity = edited(shown, made, said)["identity"]
    assert identity == {
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": {name: {} for name in shown["identity"]["userAssignedIdentities"]},
    }


def test_an_address_is_kept_and_the_name_that_follows_from_it_is_not() -> None:
    shown = document("everything")
    made, said = declared("everything", secrets=sourced(shown))
    address = edited(shown, made, said)["properties"]["ipAddress"]
    assert address["ip"] == "20.31.7.10"
    assert address["dnsNameLabel"] == "everything"
    assert "fqdn" not in address


def test_a_time_out_is_kept_where_somebody_chose_it() -> None:
    for name, expected in (("everything", 900), ("plain", None)):
        shown = document(name)
        made, said = declared(name, secrets=sourced(shown))
        assert edited(shown, made, said)["properties"].get("provisioningTimeoutInSeconds") == expected


@pytest.mark.parametrize("name", ["job-running", "just-created", "list-item"])
def test_a_job_that_runs_or_may_run_is_not_interrupted(name: str) -> None:
    shown = document(name)
    shown["properties"]["restartPolicy"] = "Never"
    made, said = declared(name)
    with pytest.raises(UnsafeStep, match="job of container group"):
        edited(shown, made, said)


def test_an_undeclared_group_is_edited_if_nothing_of_it_is_hidden() -> None:
    body = container_group.edit(
        Document(document("plain"), policy(), None), values={}, password=PASSWORD, key_id=NEW, since=SINCE
    )
    assert entries(body)[0]["password"] == PASSWORD.reveal()


def test_the_veto_of_an_undeclared_group_gives_its_whole_entry() -> None:
    with pytest.raises(UnsafeStep) as refused:
        container_group.edit(
            Document(document("job-finished"), policy(), None), values={}, password=PASSWORD, key_id=NEW, since=SINCE
        )
    assert f"  - id: /subscriptions/{SUBSCRIPTION}/" in refused.value.remedy


EMPTY = ("extensions/realtime-metrics/protected_settings", "volumes/certs/secret", "containers/app/env/TOKEN")


def hollow() -> dict[str, Any]:
    """Return a group with an extension, a secret volume and a variable whose emptiness a GET doesn't show."""
    shown = document("plain")
    shown["properties"] |= {
        "extensions": [
            {"name": "realtime-metrics", "properties": {"extensionType": "realtime-metrics", "version": "1"}}
        ],
        "volumes": [{"name": "certs", "secret": {}}],
    }
    container = shown["properties"]["containers"][0]
    container["name"] = "app"
    container["properties"]["environmentVariables"] = [{"name": "TOKEN"}]
    return shown


def test_what_was_always_empty_is_a_veto_until_the_policy_says_none() -> None:
    made, said = declared("plain")
    with pytest.raises(UnsafeStep) as refused:
        edited(hollow(), made, said)
    assert all(path in str(refused.value) for path in EMPTY)
    lines = refused.value.remedy
    assert "# or, if the volume has no files: volumes/certs/secret: {value: none}" in lines
    assert (
        "# or, if it has no protected settings: extensions/realtime-metrics/protected_settings: {value: none}" in lines
    )


def test_the_lines_for_a_hidden_value_named_like_a_client_secret_have_both_answers() -> None:
    shown = hollow()
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = [{"name": "ARM_CLIENT_SECRET"}]
    made, said = declared("plain")
    with pytest.raises(UnsafeStep) as refused:
        edited(shown, made, said)
    path = "containers/app/env/ARM_CLIENT_SECRET"
    assert f"      {path}: {{key_vault: plain-app-arm-client-secret}}\n" in refused.value.remedy
    assert f"# or, if it is this principal's password: {path}: {{credential: password}}\n" in refused.value.remedy


def test_what_the_policy_says_is_empty_stays_empty() -> None:
    made, said = declared("plain", secrets={path: {"value": "none"} for path in EMPTY})
    properties, before = edited(hollow(), made, said)["properties"], hollow()["properties"]
    assert (properties["extensions"], properties["volumes"]) == (before["extensions"], before["volumes"])
    (variable,) = properties["containers"][0]["properties"]["environmentVariables"]
    assert variable == {"name": "TOKEN", "secureValue": ""}
