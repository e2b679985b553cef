"""Corpus of container groups as GET returns them, with policies about them.

No document was copied from anywhere.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rotator import container_group
from rotator.container_group import Document
from rotator.policy import GroupPolicy, KeyVaultSource, Manifest, Policy, Source
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Observed, Principal, Secret

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(file.stem for file in CORPUS.glob("*.json"))
APP_ID = "5d3c0a52-0000-4000-8000-000000000000"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
RESOURCES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup/providers"
REGISTRY, SECOND = (
    f"{RESOURCES}/Microsoft.ContainerRegistry/registries/{name}" for name in ("mycontainerregistry", "second")
)
SERVER = "mycontainerregistry.azurecr.io"
OLD, NEW, OLDER = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
PASSWORD = Secret("the~new.Password_of-the-principal1234567")
SINCE = datetime(2026, 3, 4, 12, 0, 1, 987654, tzinfo=UTC)
OUR_TAGS = {"rotator-key-id", "rotator-since", "rotator-previous", "rotator-failed"}


def document(name: str) -> dict[str, Any]:
    """Return a new copy of a document of the corpus."""
    loaded: dict[str, Any] = json.loads((CORPUS / f"{name}.json").read_text())
    return loaded


def group_id(name: str) -> ResourceId:
    return ResourceId.parse(f"{RESOURCES}/Microsoft.ContainerInstance/containerGroups/{name}")


def policy(*groups: Mapping[str, Any], **more: Any) -> Policy:
    """Return a policy with the given container groups; `name` stands for an id."""
    listed = [
        {**{key: value for key, value in one.items() if key != "name"}, "id": group_id(one["name"])} for one in groups
    ]
    content = {
        "name": "mycontainerregistry",
        "file": "policies/mycontainerregistry.yaml",
        "principal": {"app_id": APP_ID},
        "registries": [{"id": REGISTRY}, {"id": SECOND}],
        "key_vault": {
            "url": "https://myvault.vault.azure.net",
            "password_secret": "pull-pwd",
            "username_secret": "pull-usr",
        },
        "container_groups": listed,
        **more,
    }
    return Policy.model_validate(content)


def declared(name: str, **more: Any) -> tuple[Policy, GroupPolicy]:
    """Return a policy with one group, and the group's declaration."""
    made = policy({"name": name, **more})
    return made, made.container_groups[0]


def sourced(shown: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return a source for every hidden value but the principal's own: a secret by the name of the path, two files for
    every secret volume.
    """
    paths = [
        part
        for path in container_group.hidden(shown, APP_ID)
        for part in ((f"{path}/one", f"{path}/two.pem") if path.endswith("/secret") else (path,))
    ]
    return {path: {"key_vault": f"s{number}"} for number, path in enumerate(paths)}


def values(*sources: KeyVaultSource) -> dict[Source, Secret]:
    """Return a value for each secret with the secret's name inside, as a JSON object, as extensions need one."""
    return {source: Secret(json.dumps({"value of": source.key_vault})) for source in sources}


def edited(shown: Mapping[str, Any], made: Policy, said: GroupPolicy | None, **more: Any) -> dict[str, Any]:
    """Return the edit of a document with all its secrets."""
    given = {
        "values": values(*container_group.sources(Document(shown, made, said))),
        "password": PASSWORD,
        "key_id": NEW,
        "since": SINCE,
        **more,
    }
    return container_group.edit(Document(shown, made, said), **given)


def seen_group(name: str, shown: Mapping[str, Any] | None = None, **more: Any) -> ContainerGroup:
    return ContainerGroup(group_id(name), SINCE, document(name) if shown is None else shown, **more)


def observed(*groups: ContainerGroup) -> Observed:
    return Observed(SINCE, "tenant", "0123456789ab", "somebody", Principal(APP_ID, "app", "sp"), groups=groups)


def manifest(shown: Mapping[str, Any], file: str = "manifests/nightly.yaml") -> Manifest:
    return Manifest(file, shown)
