"""Tests of manifests as PUTs: every placeholder filled, every secret in a hidden place."""

import base64
import copy
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Document, Failed
from rotator.errors import UnsafeStep
from rotator.policy import GroupPolicy, KeyVaultSource, Policy, Source
from rotator.state import Secret
from tests.container_group.documents import (
    APP_ID,
    NEW,
    OLD,
    PASSWORD,
    SERVER,
    SINCE,
    declared,
    document,
    manifest,
    values,
)

WRITTEN: dict[str, Any] = {
    "apiVersion": "2025-09-01",
    "name": "nightly",
    "type": "Microsoft.ContainerInstance/containerGroups",
    "location": "westeurope",
    "tags": {"team": "night"},
    "properties": {
        "osType": "Linux",
        "restartPolicy": "Never",
        "provisioningTimeoutInSeconds": 600,
        "containers": [
            {
                "name": "job",
                "properties": {
                    "image": f"{SERVER}/nightly:v1",
                    "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
                    "environmentVariables": [
                        {"name": "USER", "value": "as ${{ credential:username }}"},
                        {"name": "DB", "secureValue": "Server=db;Password=${{ keyvault:db-password }};"},
                        {"name": "CLIENT_SECRET", "secureValue": "${{credential:password}}"},
                        {"name": "LITERAL", "secureValue": "chosen by the author"},
                    ],
                },
            }
        ],
        "imageRegistryCredentials": [
            {"server": SERVER, "username": "${{ credential:username }}", "password": "${{ credential:password }}"}
        ],
        "volumes": [{"name": "certs", "secret": {"ca.pem": "${{ keyvault:ca }}", "readme": "aGVsbG8="}}],
    },
}


def written(**properties: Any) -> dict[str, Any]:
    made = copy.deepcopy(WRITTEN)
    made["properties"] |= properties
    return made


def policy_of(shown: dict[str, Any], **more: Any) -> tuple[Policy, GroupPolicy]:
    return declared("nightly", manifest=manifest(shown), **more)


def written_of(shown: dict[str, Any], **more: Any) -> Document:
    found = container_group.manifest_of(*policy_of(shown, **more))
    assert found
    return found


def deployed(shown: dict[str, Any], *, secrets: Any = None, **more: Any) -> dict[str, Any]:
    written = written_of(shown, secrets=secrets or {})
    given = values(*container_group.manifest_sources(written))
    return container_group.from_manifest(
        written, **{"values": given, "password": PASSWORD, "key_id": NEW, "since": SINCE, **more}
    )


def problems(shown: dict[str, Any], **more: Any) -> str:
    return "\n".join(container_group.manifest_problems(written_of(shown, **more)))


def test_placeholders_are_filled_in_and_everything_else_stays() -> None:
    body = deployed(WRITTEN)
    content = base64.b64encode(b'{"value of": "ca"}').decode()
    expected = written(
        imageRegistryCredentials=[{"server": SERVER, "username": APP_ID, "password": PASSWORD.reveal()}],
        volumes=[{"name": "certs", "secret": {"ca.pem": content, "readme": "aGVsbG8="}}],
    )
    expected["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "USER", "value": f"as {APP_ID}"},
        {"name": "DB", "secureValue": 'Server=db;Password={"value of": "db-password"};'},
        {"name": "CLIENT_SECRET", "secureValue": PASSWORD.reveal()},
        {"name": "LITERAL", "secureValue": "chosen by the author"},
    ]
    expected["tags"] |= {"rotator-key-id": NEW, "rotator-since": "2026-03-04T12:00:01Z"}
    for name in ("apiVersion", "name", "type"):
        del expected[name]
    assert body == expected


def test_only_secrets_that_are_named_are_read_and_never_the_published_ones() -> None:
    entry = {"server": SERVER, "username": "${{ keyvault:pull-usr }}", "password": "${{ keyvault:PULL-PWD }}"}
    assert container_group.manifest_sources(written_of(written(imageRegistryCredentials=[entry]))) == (
        KeyVaultSource(key_vault="ca"),
        KeyVaultSource(key_vault="db-password"),
    )
    assert (
        deployed(written(imageRegistryCredentials=[{**entry, "username": APP_ID}]))["properties"][
            "imageRegistryCredentials"
        ][0]["password"]
        == PASSWORD.reveal()
    )


def test_the_manifest_is_untouched_and_a_secret_is_not_looked_into() -> None:
    found = written_of(WRITTEN)
    tricky: dict[Source, Secret] = {
        KeyVaultSource(key_vault=name): Secret("${{ credential:password }}") for name in ("ca", "db-password")
    }
    body = container_group.from_manifest(found, values=tricky, password=PASSWORD, key_id=NEW, since=SINCE)
    assert (
        body["properties"]["containers"][0]["properties"]["environmentVariables"][1]["secureValue"]
        == "Server=db;Password=${{ credential:password }};"
    )
    assert found.declared and found.declared.manifest and found.declared.manifest.document == WRITTEN


def test_an_entry_of_the_principal_gets_the_password_whatever_the_manifest_says() -> None:
    for entry in (
        {"username": APP_ID.upper()},
        {"username": APP_ID, "password": "stale"},
        {"username": APP_ID, "password": None},
    ):
        body = deployed(written(imageRegistryCredentials=[{"server": SERVER, **entry}]))
        assert body["properties"]["imageRegistryCredentials"][0]["password"] == PASSWORD.reveal()


def test_the_way_back_is_what_the_group_held() -> None:
    shown = document("job-finished") | {
        "tags": {"rotator-key-id": OLD, "rotator-failed": f"{NEW}/1@2026-03-01T00:00:00Z"},
        "location": "West Europe",
    }
    after = container_group.shows(deployed(WRITTEN, document=shown))
    assert after.previous == OLD
    assert isinstance(after.failed, Failed) and after.failed.count == 1


def test_a_job_that_runs_is_not_interrupted_by_its_next_deployment() -> None:
    with pytest.raises(UnsafeStep, match="is running"):
        deployed(WRITTEN, document=document("job-running"))


def test_a_secret_in_plain_sight_is_refused_by_its_path() -> None:
    shown = written(osType="${{ keyvault:os }}")
    shown["properties"]["containers"][0]["properties"]["environmentVariables"][0] = {
        "name": "X",
        "value": "${{ credential:password }}",
    }
    told = problems(shown)
    assert "properties.osType would show a secret" in told
    assert "properties.containers[0].properties.environmentVariables[0].value would show a secret" in told
    with pytest.raises(UnsafeStep, match=r"manifests/nightly\.yaml can't be deployed"):
        deployed(shown)


def test_a_manifest_without_the_principal_would_not_hold_what_its_tag_says() -> None:
    shown = written(imageRegistryCredentials=[{"server": SERVER, "identity": "/subscriptions/x"}])
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = []
    assert APP_ID in problems(shown)


@pytest.mark.parametrize("name", ["mycontainerregistry-pull", "", "00000000-0000-0000-0000-00000000beef"])
def test_the_principals_password_with_another_user_name_is_refused(name: str) -> None:
    entry = {"server": SERVER, "username": name, "password": "${{ credential:password }}"}
    told = problems(written(imageRegistryCredentials=[entry]))
    assert (
        f"its entry for {SERVER} has the principal's password, and another user name: {name}. Write ${{{{ cred" in told
    )
    for known in (APP_ID.upper(), "${{ credential:username }}"):
        assert not problems(written(imageRegistryCredentials=[{**entry, "username": known}]))


def test_what_an_export_leaves_out_must_have_a_source() -> None:
    shown = written()
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = [{"name": "DB"}]
    told = problems(shown)
    assert "containers/job/env/DB" in told
    with pytest.raises(UnsafeStep, match="containers/job/env/DB") as refused:
        deployed(shown)
    assert "\\n" not in refused.value.happened
    assert "    secrets:\n      containers/job/env/DB: {key_vault: nightly-job-db}" in refused.value.remedy
    body = deployed(shown, secrets={"containers/job/env/DB": {"key_vault": "db"}})
    assert body["properties"]["containers"][0]["properties"]["environmentVariables"] == [
        {"name": "DB", "secureValue": '{"value of": "db"}'}
    ]


def test_a_manifest_of_a_profile_or_with_a_wrong_path_is_refused() -> None:
    assert "containerGroupProfile" in problems(written(containerGroupProfile={"id": "x"}))
    assert "containers/job/env/TYPO" in problems(
        WRITTEN, secrets={"containers/job/env/TYPO": {"credential": "password"}}
    )


def test_an_edit_takes_hidden_values_from_the_manifest_and_nothing_else_of_it() -> None:
    shown = document("job-finished")
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "DB"},
        {"name": "LITERAL"},
        {"name": "CLIENT_SECRET"},
    ]
    shown["properties"]["volumes"] = [{"name": "certs", "secret": {}}]
    changed = written(restartPolicy="OnFailure")
    made, said = policy_of(changed, when_finished="redeploy")
    sources = container_group.sources(Document(shown, made, said))
    assert sources == (KeyVaultSource(key_vault="ca"), KeyVaultSource(key_vault="db-password"))
    body = container_group.edit(
        Document(shown, made, said), values=values(*sources), password=PASSWORD, key_id=NEW, since=SINCE
    )["properties"]
    assert body["restartPolicy"] == "Never"
    assert body["volumes"][0]["secret"] == {
        "ca.pem": base64.b64encode(b'{"value of": "ca"}').decode(),
        "readme": "aGVsbG8=",
    }
    assert [one["secureValue"] for one in body["containers"][0]["properties"]["environmentVariables"]] == [
        'Server=db;Password={"value of": "db-password"};',
        "chosen by the author",
        PASSWORD.reveal(),
    ]
