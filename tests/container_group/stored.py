"""Corpus of container groups as a client sends them, deployed in an emulated Azure: a Stage, or the Scene of a command
line.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from local_azure.azure import Azure
from local_azure.graph.objects import Application
from local_azure.seeded import Seeded
from ruamel.yaml import YAML

from tests.container_group.grown import Values, in_vault

REFUSED = {"of-a-profile": "containerGroupProfile"}


class Place(Protocol):
    """World of a test."""

    azure: Azure
    seeded: Seeded
    application: Application

    def group_id(self, name: str) -> str: ...

    def pass_(self, **span: float) -> None: ...


def corpus(password: str = "the-principals-own", **put_in: str) -> dict[str, dict[str, Any]]:
    """Return the documents of the corpus, with values for their names."""
    put: dict[str, dict[str, Any]] = _filled(_written(), {"the-principals-own": password, **put_in})
    return put


@cache
def _written() -> Any:
    return YAML(typ="safe").load((Path(__file__).parent / "stored.yaml").read_text())


def _filled(value: Any, put_in: Mapping[str, str]) -> Any:
    """Return a copy with a value in place of each name."""
    match value:
        case dict():
            return {_filled(name, put_in): _filled(inner, put_in) for name, inner in value.items()}
        case list():
            return [_filled(inner, put_in) for inner in value]
        case str():
            for name, instead in put_in.items():
                value = value.replace(name, instead)
    return value


NAMES = [name for name in corpus() if name not in REFUSED]


def corpus_of(made: Place, password: str) -> dict[str, dict[str, Any]]:
    """Return the corpus of one world, whose principal has the password."""
    for name in ("db", "other-pull"):
        made.azure.vaults.set("myvault", name, "a secret of others")
    put_in = {
        "APP_ID": made.application.app_id,
        "SERVER": "mycontainerregistry.azurecr.io",
        "SUBSCRIPTION": made.seeded.subscription,
    }
    return corpus(password, **put_in, IDENTITY=made.seeded.identity.resource_id)


def sourced(made: Place, name: str, values: Values) -> dict[str, Any]:
    """Return the declaration of a group, with a source for each hidden value, and put the values into the vault."""
    secrets = {}
    for nth, (path, (value, said)) in enumerate(sorted(values.items())):
        if in_vault(said):
            made.azure.vaults.set("myvault", f"{name}-{nth}", value)
        secrets[path] = {"key_vault": f"{name}-{nth}", **said} if in_vault(said) else said
    return {"id": made.group_id(name), "secrets": secrets}


def deployed(made: Place, documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Deploy each document by hand and wait for its start; return the stored groups by name."""
    for quota in ("DedicatedContainerGroups", "StandardV100Cores", "StandardSpotCores"):
        made.azure.container_groups.quotas.allow(made.seeded.subscription, "eastus", quota, 100)
    made.azure.authorization.assign(
        f"/subscriptions/{made.seeded.subscription}", made.seeded.operator.object_id, "Contributor", at_once=True
    )
    for name, document in documents.items():
        made.azure.container_groups.put(made.group_id(name), document, "2025-09-01")
    made.pass_(hours=1)
    return {name: made.azure.container_groups.stored(made.group_id(name)) for name in documents}
