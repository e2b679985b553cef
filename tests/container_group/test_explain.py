"""Tests of the notes on a container group before a redeployment."""

from typing import Any

import pytest

from rotator.container_group import Document
from rotator.container_group.explain import notes
from tests.container_group.documents import APP_ID, SERVER, declared

PUBLIC = {"type": "Public", "ip": "20.0.0.1"}
OURS = {"server": SERVER, "username": APP_ID}
OTHERS = {"server": "other.azurecr.io", "username": "other"}
BY_IDENTITY = {"server": "other.azurecr.io", "identity": "/i"}
REFERRING = {"server": SERVER, "username": APP_ID, "passwordReference": "pull"}
PUBLISHED = {"name": "pull", "secretReferenceUri": "https://myvault.vault.azure.net/secrets/pull-pwd"}
ELSEWHERE = {"name": "pull", "secretReferenceUri": "https://myvault.vault.azure.net/secrets/another"}
HIDDEN = {"containers": [{"name": "app", "properties": {"environmentVariables": [{"name": "KEY"}]}}]}
SHOWING = {
    "containers": [
        {
            "name": "app",
            "properties": {
                "environmentVariables": [{"name": "AZURE_CLIENT_ID", "value": APP_ID}, {"name": "AZURE_CLIENT_SECRET"}]
            },
        }
    ]
}
FILES = {"volumes": [{"name": "certs", "secret": {}}]}
KEY, CERTS = "containers/app/env/KEY", "volumes/certs/secret"

NOTES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "nothing to say": ({"imageRegistryCredentials": [OURS]}, {}, []),
    "an address that may change": ({"ipAddress": PUBLIC}, {}, ["usually keeps its IP address 20.0.0.1"]),
    "an address with a name": ({"ipAddress": {**PUBLIC, "dnsNameLabel": "app"}}, {}, []),
    "no address yet, and a port": ({"ipAddress": {"type": "Public"}}, {}, []),
    "Spot": ({"priority": "Spot"}, {}, ["a Spot group"]),
    "a regular one": ({"priority": "Regular"}, {}, []),
    "confidential": ({"sku": "Confidential"}, {}, ["a confidential group"]),
    "a standard one": ({"sku": "Standard"}, {}, []),
    "another user": (
        {"imageRegistryCredentials": [OURS, OTHERS, BY_IDENTITY]},
        {},
        ["needs no rotation for other.azurecr.io:"],
    ),
    "a reference": (
        {"imageRegistryCredentials": [REFERRING], "secretReferences": [PUBLISHED]},
        {},
        ["Azure reads pull-pwd for the group at a redeployment"],
    ),
    "a reference to another secret": (
        {"imageRegistryCredentials": [REFERRING], "secretReferences": [ELSEWHERE]},
        {},
        [f"password for {SERVER} from a secret that rotator does not write"],
    ),
    "another principal's reference": (
        {"imageRegistryCredentials": [OURS, {**REFERRING, "server": "other.azurecr.io", "username": "other"}]},
        {},
        ["needs no rotation for other.azurecr.io:"],
    ),
    "an entry with both a user name and an identity": (
        {"imageRegistryCredentials": [{**OURS, "identity": "/i"}]},
        {},
        [f"needs no rotation for {SERVER}:"],
    ),
    "a variable in a group that only shows the app id": (SHOWING, {}, []),
    "values from a vault": (
        {**HIDDEN, "imageRegistryCredentials": [OURS]},
        {"secrets": {KEY: {"key_vault": "key"}}},
        ["sets them from myvault.vault.azure.net: key. rotator can't compare them"],
    ),
    "the password in a variable": (
        {**HIDDEN, "imageRegistryCredentials": [OURS]},
        {"secrets": {KEY: {"credential": "password"}}},
        [f"the new password also goes into {KEY}"],
    ),
    "files that replace what is there": (
        {**FILES, "imageRegistryCredentials": [OURS]},
        {"secrets": {f"{CERTS}/b.pem": {"key_vault": "b"}, f"{CERTS}/a.pem": {"key_vault": "a"}}},
        ["Azure hides values", "volumes/certs will have exactly these files: a.pem, b.pem"],
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_group_has_its_notes_and_no_other(name: str) -> None:
    properties, said, expected = NOTES[name]
    made, group = declared("app", **said)
    told = list(notes(Document({"properties": properties}, made, group if said else None)))
    assert [words for words, one in zip(expected, told, strict=True) if words not in one] == []


def test_a_declared_group_that_does_not_pull_as_the_principal_says_so() -> None:
    made, group = declared("app")
    assert list(notes(Document({"properties": {}}, made, group))) == [
        f"has no registry entry with the user name {APP_ID}"
    ]
    (entry, held) = notes(Document({"properties": HIDDEN}, made, group))
    assert "no registry entry" in entry and held.startswith(f"{KEY} may hold the password")
    pulling = {"imageRegistryCredentials": [OURS], **HIDDEN}
    assert list(notes(Document({"properties": pulling}, made, group))) == []
    others = {"imageRegistryCredentials": [BY_IDENTITY]}
    (one,) = notes(Document({"properties": others}, made, group))
    assert "needs no rotation" in one
    (one,) = notes(Document({"properties": {"imageRegistryCredentials": [OTHERS]}}, made, group))
    assert one == f"has no registry entry with the user name {APP_ID}"
