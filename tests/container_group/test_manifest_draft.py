"""Tests of a manifest written from a running group: it deploys the same group again, and shows no secret."""

import json
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

import pytest

from rotator import container_group
from rotator.arm_json import drop, get
from rotator.container_group import Document, DraftedManifest
from rotator.container_group.hidden_values import as_shown
from rotator.container_group.normalise import usual
from rotator.container_group.put_properties import writable
from rotator.errors import UnsafeStep
from rotator.policy import Manifest
from rotator.policy.manifest_file import Read
from rotator.policy.manifest_text import rendered
from rotator.policy.secret_rules import WORKSPACE_ID
from tests.container_group.documents import (
    APP_ID,
    NAMES,
    NEW,
    OUR_TAGS,
    PASSWORD,
    SINCE,
    SUBSCRIPTION,
    declared,
    document,
    edited,
    manifest,
    sourced,
    values,
)
from tests.container_group.grown import grown

ALONE = (
    "unlike",
    "of-a",
    "full-of-tags",
    "identity-only",
    "password-reference",
    "job-running",
    "job-retrying",
    "job-pull-failing",
    "list-item",
    "two-strangers",
    "just-created",
)
"""Documents that a rotation never redeploys unchanged."""
EDITABLE = [name for name in NAMES if not name.startswith(ALONE)]


def draft(shown: dict[str, Any], name: str = "g", **more: Any) -> DraftedManifest:
    made, said = declared(name, **more)
    return container_group.drafted(Document(shown, made, said))


def read_back(found: DraftedManifest, name: str = "g") -> Manifest:
    """Return the draft as the policy's reader reads the file."""
    head = {"apiVersion": "2025-09-01", "type": "Microsoft.ContainerInstance/containerGroups", "name": name}
    _, said = declared(name)
    read = Read.of(rendered({**head, **found.body}), "g.yaml")
    made, own = read.manifest(said.id)
    assert (read.mistakes, own) == ((), ())
    assert made
    return made


def written(found: DraftedManifest, name: str = "g", **more: Any) -> Document:
    made = container_group.manifest_of(*declared(name, manifest=read_back(found, name), **more))
    assert made
    return made


def known(name: str) -> dict[str, Any]:
    """Return a document of the corpus without a property that no manifest can have."""
    return {name: value for name, value in document(name).items() if name != "aFutureTopLevelProperty"}


def put(document: Document) -> dict[str, Any]:
    """Return the body of a manifest's deployment, without our tags."""
    return bare(
        container_group.from_manifest(
            document,
            values=values(*container_group.manifest_sources(document)),
            password=PASSWORD,
            key_id=NEW,
            since=SINCE,
        )
    )


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body in Azure's spelling, without our tags."""
    kept = usual(body)
    drop(get(kept, "tags"), *OUR_TAGS)
    return kept


@pytest.mark.parametrize("seed", range(20))
def test_a_random_group_and_its_manifest_are_the_same(seed: int) -> None:
    shown = as_shown(grown(Random(seed), APP_ID, PASSWORD.reveal()))
    found = draft(shown)
    again = written(found)
    assert container_group.manifest_changes(again, shown) == ()
    assert container_group.manifest_conflicts(again, shown) == ()
    assert container_group.difference(bare(as_shown(put(again))), bare(writable(shown))) == ()
    assert PASSWORD.reveal() not in rendered(found.body)


@pytest.mark.parametrize("name", EDITABLE)
def test_with_the_policys_sources_it_deploys_what_a_rotation_deploys(name: str) -> None:
    shown = known(name)
    made, said = declared(name, secrets=sourced(shown))
    found = container_group.drafted(Document(shown, made, said))
    assert (found.wanted, found.empty) == ((), ())
    assert container_group.difference(put(written(found, name)), bare(edited(shown, made, said))) == ()


def test_a_value_without_a_source_is_wanted_by_name_and_what_may_be_empty_is_told() -> None:
    found = draft(known("everything"), "everything")
    wanted = dict(found.wanted)
    assert wanted["containers/app/env/DB_PASSWORD"] == "everything-app-db-password"
    assert wanted["volumes/certs/secret"] == "everything-certs-FILE"
    assert set(found.empty) == {
        path for path in wanted if path.startswith(("volumes/certs/secret", "extensions/", WORKSPACE_ID))
    }
    named = {source.key_vault for source in container_group.manifest_sources(written(found, "everything"))}
    assert named == set(wanted.values())


def test_what_the_policy_says_is_empty_stays_empty() -> None:
    secrets = {path: {"value": "none"} for path in draft(document("everything")).empty}
    found = draft(document("everything"), secrets=secrets)
    properties = found.body["properties"]
    assert found.empty == ()
    assert {"name": "certs", "secret": {}} in properties["volumes"]
    assert "workspaceResourceId" not in properties["diagnostics"]["logAnalytics"]


def test_a_secret_that_an_author_wrote_into_the_old_manifest_is_not_shown() -> None:
    variables = [
        {"name": "PLAIN", "secureValue": "chosen by the author"},
        {"name": "MIXED", "secureValue": "Password=hush;${{ keyvault:db }}"},
        {"name": "NAMED", "secureValue": "${{ keyvault:db }}"},
    ]
    shown = document("plain")
    container = shown["properties"]["containers"][0]
    container["properties"]["environmentVariables"] = variables
    old = json.loads(json.dumps(shown))
    found = draft(as_shown(shown), manifest=manifest(old))
    kept = {
        each["name"]: each["secureValue"]
        for each in found.body["properties"]["containers"][0]["properties"]["environmentVariables"]
    }
    where = container["name"]
    assert kept == {
        "PLAIN": f"${{{{ keyvault:plain-{where}-plain }}}}",
        "MIXED": f"${{{{ keyvault:plain-{where}-mixed }}}}",
        "NAMED": "${{ keyvault:db }}",
    }
    assert found.wanted == ()
    assert found.authored == (
        (f"containers/{where}/env/PLAIN", f"plain-{where}-plain"),
        (f"containers/{where}/env/MIXED", f"plain-{where}-mixed"),
    )


def test_of_a_volume_the_files_with_a_placeholder_alone_are_kept_and_the_others_are_told() -> None:
    shown = document("plain")
    files = {"tls.key": "${{ keyvault:key }}", "tls.crt": "Y2VydA==", "conf": "${{ keyvault:a }}:${{ keyvault:b }}"}
    shown["properties"]["volumes"] = [{"name": "certs", "secret": files}]
    found = draft(as_shown(shown), manifest=manifest(shown))
    held = "${{ keyvault:plain-certs-FILE }}"
    (volume,) = found.body["properties"]["volumes"]
    assert volume["secret"] == {**files, "tls.crt": held, "conf": held}
    assert [path for path, _ in found.authored] == ["volumes/certs/secret/tls.crt", "volumes/certs/secret/conf"]


def test_a_workspace_that_the_policy_states_is_written() -> None:
    shown = as_shown(document("everything"))
    workspace = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
    found = draft(shown, secrets={WORKSPACE_ID: {"value": workspace}})
    assert found.body["properties"]["diagnostics"]["logAnalytics"]["workspaceResourceId"] == workspace
    assert WORKSPACE_ID not in dict(found.wanted)


def test_a_text_that_reads_like_a_placeholder_is_refused() -> None:
    shown = document("plain")
    shown["tags"] = {"note": "${{ keyvault:x }}"}
    with pytest.raises(UnsafeStep, match="reads like a placeholder"):
        draft(shown)


def test_a_null_property_is_left_out_and_a_null_in_data_stays() -> None:
    shown = document("plain")
    shown["zones"] = None
    settings = {"list": [None], "none": None}
    shown["properties"]["extensions"] = [
        {"name": "e", "properties": {"extensionType": "t", "version": "1", "settings": settings}}
    ]
    found = draft(shown)
    assert "zones" not in found.body
    assert found.body["properties"]["extensions"][0]["properties"]["settings"] == settings


def test_a_password_in_plain_sight_is_written_into_no_file() -> None:
    shown = document("plain")
    password = "Abc8Q~0123456789012345678901234567890123"
    shown["properties"]["containers"][0]["properties"]["command"] = ["login", f"-p{password}"]
    with pytest.raises(UnsafeStep, match=r"containers\[0\]\.properties\.command\[1\]") as refused:
        draft(shown)
    assert password not in str(refused.value) and "az container export" in refused.value.diagnose().remedy
