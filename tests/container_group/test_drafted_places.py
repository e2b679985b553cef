"""Tests of a drafted manifest: its entries in place of hidden values."""

from typing import Any

import pytest

from rotator.container_group import Document
from rotator.container_group.manifest import needed
from rotator.container_group.manifest_draft import DraftedManifest, drafted
from tests.container_group.documents import APP_ID, SERVER, declared, manifest

PASSWORD = "${{ credential:password }}"
SECRET = "containers/app/env/AZURE_CLIENT_SECRET"


def group(*env: dict[str, Any], **properties: Any) -> dict[str, Any]:
    inside = {"image": f"{SERVER}/app:v1", "environmentVariables": list(env)}
    return {"properties": {"containers": [{"name": "app", "properties": inside}], **properties}}


def of(shown: dict[str, Any], **said: Any) -> DraftedManifest:
    return drafted(Document(shown, *declared("g", **said)))


def variables(made: DraftedManifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.body["properties"]["containers"][0]["properties"]["environmentVariables"]
    return found


def test_a_null_is_left_out_and_one_in_data_is_data() -> None:
    extension = {"name": "e", "properties": {"extensionType": None, "settings": {"a": None, "deep": {"b": None}}}}
    body = of(group(dnsConfig=None, extensions=[extension], zones=[{"a": None}])).body
    assert body["properties"]["extensions"][0]["properties"]["settings"] == {"a": None, "deep": {"b": None}}
    assert "extensionType" not in body["properties"]["extensions"][0]["properties"]
    assert "dnsConfig" not in body["properties"] and body["properties"]["zones"] == [{}]


@pytest.mark.parametrize(
    ("source", "held"),
    [(None, PASSWORD), ({"key_vault": "mine"}, "${{ keyvault:mine }}"), ({"value": "none"}, "")],
)
def test_a_variable_that_seems_to_hold_the_password_gets_it_unless_the_policy_says_otherwise(
    source: Any, held: str
) -> None:
    shown = group({"name": "AZURE_CLIENT_ID", "value": APP_ID}, {"name": "AZURE_CLIENT_SECRET"})
    made = of(shown, **({"secrets": {SECRET: source}} if source else {}))
    assert variables(made)[1] == {"name": "AZURE_CLIENT_SECRET", "secureValue": held} and made.wanted == ()


def test_a_password_in_plain_sight_is_taken_out_of_it() -> None:
    shown = group({"name": "KEY", "value": "plain"}, {"name": "OTHER", "value": "plain"})
    made = of(shown, secrets={"containers/app/env/KEY": {"credential": "password"}})
    assert variables(made) == [{"name": "KEY", "secureValue": PASSWORD}, {"name": "OTHER", "value": "plain"}]


VOLUME = {"volumes": [{"name": "v", "secret": {}}]}


def test_of_a_volume_each_file_is_held_by_itself() -> None:
    written = group(volumes=[{"name": "v", "secret": {"mine": "dGV4dA==", "placed": "${{ keyvault:p }}"}}])
    made = of(group(**VOLUME), manifest=manifest(written))
    (volume,) = made.body["properties"]["volumes"]
    assert volume["secret"] == {"mine": "${{ keyvault:g-v-FILE }}", "placed": "${{ keyvault:p }}"}
    assert made.authored == (("volumes/v/secret/mine", "g-v-FILE"),) and made.wanted == ()
    nothing = of(group(**VOLUME))
    assert nothing.body["properties"]["volumes"][0]["secret"] == {"FILE": "${{ keyvault:g-v-FILE }}"}
    assert nothing.wanted == (("volumes/v/secret", "g-v-FILE"),) and nothing.empty == ("volumes/v/secret",)


@pytest.mark.parametrize(
    ("settings", "held", "authored"),
    [
        ("${{ keyvault:whole }}", "${{ keyvault:whole }}", False),
        (" ${{ keyvault:whole }} ", " ${{ keyvault:whole }} ", False),
        ("${{ nonsense }}", "${{ keyvault:g-extensions-e-protected-settings }}", True),
        ("a ${{ keyvault:part }}", "${{ keyvault:g-extensions-e-protected-settings }}", True),
        ({"a": "text", "b": "more"}, "${{ keyvault:g-extensions-e-protected-settings }}", True),
        ({"a": "${{ keyvault:one }}"}, {"a": "${{ keyvault:one }}"}, False),
    ],
)
def test_a_text_of_an_author_is_told_and_not_repeated(settings: Any, held: Any, authored: bool) -> None:
    def extended(**inside: Any) -> dict[str, Any]:
        return group(extensions=[{"name": "e", "properties": {"extensionType": "x", **inside}}])

    made = of(extended(), manifest=manifest(extended(protectedSettings=settings)))
    assert made.body["properties"]["extensions"][0]["properties"]["protectedSettings"] == held
    assert [path for path, _ in made.authored] == (["extensions/e/protected_settings"] if authored else [])


def test_the_secrets_that_a_policy_needs_are_those_of_its_lines_and_of_its_manifests() -> None:
    said = {"containers/app/env/KEY": {"key_vault": "by-line"}, "containers/app/env/PWD": {"credential": "password"}}
    assert needed(declared("g", secrets=said)[0]) == ("by-line",)
    written = group({"name": "KEY", "value": "${{ keyvault:by-manifest }}"})
    assert needed(declared("g", manifest=manifest(written))[0]) == ("by-manifest",)
    assert needed(declared("g")[0]) == ()
