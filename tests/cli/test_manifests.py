"""Manifests beside running groups: compared as Azure compares, written from a group, changed by an image alone."""

import json
from typing import Any

from tests.cli.scene import IMAGE, NAME, Scene


def as_people_write(rotator: Scene) -> dict[str, Any]:
    """A manifest with numbers as texts and words in any letter case, as published deployment files have them."""
    container = {
        "name": "app",
        "properties": {
            "image": IMAGE,
            "ports": [{"port": "80", "protocol": "tcp"}],
            "resources": {"requests": {"cpu": "1.0", "memoryInGb": "1.5"}},
            "volumeMounts": [],
        },
    }
    entry = {
        "server": rotator.seeded.login_server,
        "username": "${{ credential:username }}",
        "password": "${{ credential:password }}",
    }
    properties = {
        "containers": [container],
        "osType": "linux",
        "restartPolicy": "always",
        "sku": "standard",
        "ipAddress": {"type": "public", "ports": [{"port": "80"}]},
        "imageRegistryCredentials": [entry],
        "volumes": [{"name": "novolume", "emptyDir": {}}],
    }
    kind = "Microsoft.ContainerInstance/containerGroups"
    return {
        "name": "loader",
        "type": kind,
        "location": "East US",
        "identity": {"type": "none"},
        "properties": properties,
    }


def test_numbers_as_texts_and_other_letters_are_what_runs(rotator: Scene) -> None:
    (rotator.policies / "loader.manifest").write_text(json.dumps(as_people_write(rotator)))
    groups = [{"id": rotator.group_id()}, {"id": rotator.group_id("loader"), "manifest": "loader.manifest"}]
    rotator.write(container_groups=groups)
    assert rotator("rotate", NAME, "--adopt", "--yes").code == 0
    assert rotator("deploy", NAME, "loader").code == 0
    assert "loader.manifest is what runs" in rotator("plan", NAME).out.replace("\n", " ")
    assert rotator("deploy", NAME, "loader").code == 0


def dressed(rotator: Scene) -> None:
    """Give the group a hidden variable, an empty secret volume, an extension without settings, and a tag."""
    found = rotator.azure.container_groups.get(rotator.group_id())
    properties = {
        name: value for name, value in found["properties"].items() if name not in ("instanceView", "provisioningState")
    }
    properties["containers"][0]["properties"] |= {
        "environmentVariables": [{"name": "DB", "secureValue": "hush"}, {"name": "ANSWER", "value": "yes"}]
    }
    properties["volumes"] = [{"name": "certs", "secret": {}}]
    entry = properties["imageRegistryCredentials"][0]
    entry["password"] = rotator.password.secret
    rotator.azure.container_groups.put(
        rotator.group_id(), {"location": "eastus", "tags": {"build": "0123"}, "properties": properties}, "2025-09-01"
    )
    rotator.pass_(minutes=5)


def test_a_manifest_is_written_from_a_running_group_and_is_what_runs(rotator: Scene) -> None:
    dressed(rotator)
    volume = {"volumes/certs/secret": {"value": "none"}}
    rotator.write(container_groups=[{"id": rotator.group_id(), "secrets": volume}])
    said = rotator("manifest", NAME, "mycontainer")
    assert said.code == 0
    assert "containers/app/env/DB:" in said.out
    assert "az keyvault secret set --vault-name myvault --name mycontainer-app-db " in said.out
    assert rotator.password.secret not in said.out
    (rotator.policies / "mycontainer.yaml.txt").write_text(said.out)
    rotator.azure.vaults.set("myvault", "mycontainer-app-db", "hush")
    group = {"id": rotator.group_id(), "secrets": volume, "manifest": "mycontainer.yaml.txt"}
    rotator.write(container_groups=[group])
    assert "mycontainer.yaml.txt is what runs" in " ".join(rotator("plan", NAME).out.split())
    assert rotator("rotate", NAME, "--adopt", "--yes").code == 0
    before = rotator.azure.container_groups.stored(rotator.group_id())["properties"]
    assert rotator("deploy", NAME).code == 0
    after = rotator.azure.container_groups.stored(rotator.group_id())
    assert after["properties"] == before
    assert after["tags"]["build"] == "0123"


def test_without_its_secret_a_written_manifest_deploys_nothing(rotator: Scene) -> None:
    dressed(rotator)
    written = rotator("manifest", NAME, "mycontainer")
    assert "volumes/certs/secret: {value: none}" in written.out
    (rotator.policies / "mycontainer.manifest").write_text(written.out)
    rotator.write(container_groups=[{"id": rotator.group_id(), "manifest": "mycontainer.manifest"}])
    said = rotator("rotate", NAME, "--adopt", "--yes")
    assert said.code == 3
    assert "mycontainer-app-db" in said.out + said.err


def test_a_group_that_is_not_there_has_no_manifest(rotator: Scene) -> None:
    rotator.azure.container_groups.delete(rotator.group_id())
    said = rotator("manifest", NAME, "mycontainer")
    assert (said.code, said.out) == (1, "")
    assert "is not there" in said.err
    assert rotator("manifest", NAME, "other").code == 2
