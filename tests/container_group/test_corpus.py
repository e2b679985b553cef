"""Tests of an edit of every document of the corpus: only values that the service alone writes are lost."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Document
from rotator.errors import UnsafeStep
from rotator.policy import StatedSource, load
from tests.container_group.documents import (
    NAMES,
    NEW,
    OUR_TAGS,
    PASSWORD,
    REGISTRY,
    SECOND,
    declared,
    document,
    edited,
    group_id,
    sourced,
)

REFUSED = {
    "of-an-ngroup": "orchestratorId",
    "of-an-ngroup-by-tag": "orchestratorId",
    "of-a-profile": "containerGroupProfile",
    "of-a-standby-pool": "standbyPoolProfile",
    "full-of-tags": "2 more than the 50",
    "two-strangers": "third.azurecr.io",
    "unlike-a-group": "no containers",
    "job-running": "running",
}
"""Documents that are never edited, each with a word of the reason."""
EDITABLE = [name for name in NAMES if name not in REFUSED]
READ_ONLY = {
    "": {"id", "name", "type", "systemdata"},
    "properties": {"instanceview", "provisioningstate", "iscreatedfromstandbypool", "iscustomprovisioningtimeout"},
    "properties.ipaddress": {"fqdn"},
    "identity": {"principalid", "tenantid"},
}
SECRET = {
    "password",
    "securevalue",
    "storageaccountkey",
    "workspacekey",
    "workspaceresourceid",
    "protectedsettings",
    "secret",
}
HIDDEN = {
    "everything": (
        "containers/app/env/DB_PASSWORD",
        "containers/sidecar/env/TOKEN",
        "diagnostics/log_analytics/workspace_key",
        "diagnostics/log_analytics/workspace_resource_id",
        "extensions/proxy/protected_settings",
        "image_registry_credentials/mycontainerregistry.azurecr.io/password",
        "image_registry_credentials/other.azurecr.io/password",
        "init_containers/migrate/env/DB_PASSWORD",
        "volumes/certs/secret",
        "volumes/share/azure_file/storage_account_key",
    ),
    "several-registries": tuple(
        f"image_registry_credentials/{server}.azurecr.io/password"
        for server in ("mycontainerregistry", "second", "third")
    ),
    "identity-only": (),
    "password-reference": (),
    "odd-letters": (
        "containers/app/env/DB_PASSWORD",
        "containers/app/env/db_password",
        "image_registry_credentials/mycontainerregistry.azurecr.io/password",
        "volumes/share/azure_file/storage_account_key",
    ),
    "nulls": ("containers/app/env/A", "image_registry_credentials/mycontainerregistry.azurecr.io/password"),
}


def parts(node: Any, path: str = "") -> dict[str, Any]:
    """Return every value of a document by its path, names in lower case."""
    if isinstance(node, dict):
        inner = [parts(value, f"{path}.{key.lower()}" if path else key.lower()) for key, value in node.items()]
    elif isinstance(node, list):
        inner = [parts(value, f"{path}[{index}]") for index, value in enumerate(node)]
    else:
        return {path: node}
    return {path: type(node)} | {key: value for part in inner for key, value in part.items()}


def read_only(path: str) -> bool:
    head, _, name = path.rpartition(".")
    inside = any(f".{part}." in f".{path}." for part in ("instanceview", "systemdata"))
    assigned = "userassignedidentities" in path and name in ("principalid", "clientid")
    return inside or assigned or name in READ_ONLY.get(head, ())


def secret(path: str) -> bool:
    return bool(SECRET & set(path.split(".")))


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """Return every value of a client but for secrets, our tags, and plain values of null."""
    found = {
        path: value
        for path, value in parts(document).items()
        if not read_only(path) and not secret(path) and path not in ("tags", "identity")
    }
    return {
        path: value
        for path, value in found.items()
        if path.removeprefix("tags.") not in OUR_TAGS and (value is not None or ".env" not in path)
    }


@pytest.mark.parametrize("name", EDITABLE)
def test_an_edit_keeps_every_property_where_and_as_it_was(name: str) -> None:
    shown = document(name)
    made, said = declared(name, secrets=sourced(shown))
    kept = plain(shown)
    if parts(shown).get("properties.iscustomprovisioningtimeout") is False:
        kept.pop("properties.provisioningtimeoutinseconds")
    assert plain(edited(shown, made, said)) == kept


@pytest.mark.parametrize("name", EDITABLE)
def test_an_edit_has_nothing_that_only_the_service_writes(name: str) -> None:
    shown = document(name)
    made, said = declared(name, secrets=sourced(shown))
    assert [path for path in parts(edited(shown, made, said)) if read_only(path)] == []


@pytest.mark.parametrize("name", EDITABLE)
def test_an_edit_differs_from_the_get_only_in_the_password_and_our_tags(name: str) -> None:
    shown = document(name)
    made, said = declared(name, secrets=sourced(shown))
    body = container_group.as_shown(edited(shown, made, said))
    assert container_group.unasked(Document(shown, made, said), body) == ()
    assert {
        change.path.lower() for change in container_group.difference(shown, body) if not secret(change.path.lower())
    } <= {f"tags.{tag}" for tag in OUR_TAGS}


@pytest.mark.parametrize("name", EDITABLE)
def test_nothing_is_hidden_in_an_edit_and_the_document_is_untouched(name: str) -> None:
    shown = document(name)
    before = copy.deepcopy(shown)
    made, said = declared(name, secrets=sourced(shown))
    body = edited(shown, made, said)
    assert container_group.hidden(body) == ()
    assert shown == before
    assert json.loads(json.dumps(body)) == body
    assert container_group.shows(body).key_id == NEW


@pytest.mark.parametrize("name", EDITABLE)
def test_without_its_sources_a_group_is_vetoed_with_all_its_paths_and_no_value(name: str) -> None:
    shown = document(name)
    lost = container_group.hidden(shown, "5d3c0a52-0000-4000-8000-000000000000")
    made, said = declared(name)
    if not lost:
        edited(shown, made, said)
        return
    with pytest.raises(UnsafeStep) as refused:
        edited(shown, made, said)
    assert f"container group {name} " in refused.value.happened
    assert all(path in refused.value.happened and path in refused.value.remedy for path in lost)
    assert PASSWORD.reveal() not in str(refused.value.diagnose())
    assert refused.value.state == "Nothing was changed."


@pytest.mark.parametrize("name", REFUSED)
def test_some_groups_are_never_edited_and_it_is_said_why(name: str) -> None:
    made, said = declared(name)
    with pytest.raises(UnsafeStep, match=REFUSED[name]):
        edited(document(name), made, said)


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden(name: str) -> None:
    assert container_group.hidden(document(name)) == HIDDEN[name]


POLICY = f"""\
principal: {{app_id: 5d3c0a52-0000-4000-8000-000000000000}}
registries: [{{id: {REGISTRY}}}, {{id: {SECOND}}}]
key_vault: {{url: https://myvault.vault.azure.net, password_secret: pull-pwd}}
container_groups:
"""


@pytest.mark.parametrize("entry", [True, False])
@pytest.mark.parametrize("name", [name for name in EDITABLE if HIDDEN.get(name, True)])
def test_the_lines_of_a_veto_mend_the_policy_when_they_are_pasted(name: str, entry: bool, tmp_path: Path) -> None:
    shown = document(name)
    bare, undeclared = declared(name)
    lines = container_group.lines_to_add(
        group_id(name), container_group.unsourced(Document(shown, bare, undeclared)), entry=entry
    )
    if "key_vault" not in lines:
        return
    (tmp_path / "p.yaml").write_text(POLICY + ("" if entry else f"  - id: {group_id(name)}\n") + lines + "\n")
    (made,) = load(tmp_path)
    said = made.container_groups[0]
    assert container_group.unsourced(Document(shown, made, said)) == ()
    assert [
        path
        for path in container_group.hidden(edited(shown, made, said))
        if said.secrets.get(path) != StatedSource(value="none")
    ] == []
    assert len({str(source) for source in said.secrets.values()}) == len(said.secrets)


def test_lines_for_a_group_that_has_sources_already_go_below_them(tmp_path: Path) -> None:
    shown = document("everything")
    head = (
        POLICY
        + f"  - id: {group_id('everything')}\n    secrets:\n      containers/app/env/DB_PASSWORD: {{key_vault: db}}\n"
    )
    (tmp_path / "p.yaml").write_text(head)
    (made,) = load(tmp_path)
    with pytest.raises(UnsafeStep) as refused:
        edited(shown, made, made.container_groups[0])
    lines = refused.value.remedy.partition("\n")[2]
    assert "DB_PASSWORD" not in lines.replace("init_containers/migrate/env/DB_PASSWORD", "")
    (tmp_path / "p.yaml").write_text(head + lines + "\n")
    (mended,) = load(tmp_path)
    edited(shown, mended, mended.container_groups[0])
