"""Tests of manifests beside running groups: compared as Azure compares, written from a group, changed by an image
alone.
"""

import copy
import json
from typing import Any

from tests.cli.scene import IMAGE, NAME, Scene

NEW = "mycontainerregistry.azurecr.io/app:v2"


def as_people_write(rotator: Scene) -> dict[str, Any]:
    """Return a manifest with numbers as texts and words in any letter case, as in published deployment files."""
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
    assert "loader.manifest matches the running group" in rotator("plan", NAME).out.replace("\n", " ")
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
    said, file = rotator("manifest", NAME, "mycontainer"), rotator.policies / "mycontainer.yaml.txt"
    assert rotator("manifest", NAME, "mycontainer", "--file", str(file)).code == said.code == 0
    kept = file.read_text()
    assert kept.partition("apiVersion")[2] == said.out.partition("apiVersion")[2] != ""
    assert "#     manifest: mycontainer.yaml.txt" in kept and "Save it as" not in kept
    assert rotator("manifest", NAME, "mycontainer", "--file", str(file)).code == 1
    assert file.read_text() == kept
    assert "containers/app/env/DB:" in said.out
    assert "az keyvault secret set --vault-name myvault --name mycontainer-app-db " in said.out
    assert rotator.password.secret not in said.out
    rotator.azure.vaults.set("myvault", "mycontainer-app-db", "hush")
    group = {"id": rotator.group_id(), "secrets": volume, "manifest": "mycontainer.yaml.txt"}
    rotator.write(container_groups=[group])
    assert "mycontainer.yaml.txt matches the running group" in " ".join(rotator("plan", NAME).out.split())
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
    (rotator.policies / "manifests").mkdir()
    file = rotator.policies / "manifests" / "mycontainer.yaml"
    assert f"Save it as {file}, and write in" in written.out
    file.write_text(written.out)
    rotator.write(container_groups=[{"id": rotator.group_id(), "manifest": "manifests/mycontainer.yaml"}])
    said = rotator("rotate", NAME, "--adopt", "--yes")
    assert said.code == 3
    assert "mycontainer-app-db" in said.out + said.err


def test_a_group_that_is_not_there_has_no_manifest(rotator: Scene) -> None:
    rotator.azure.container_groups.delete(rotator.group_id())
    said = rotator("manifest", NAME, "mycontainer")
    assert (said.code, said.out) == (1, "")
    assert "does not exist" in said.err
    assert rotator("manifest", NAME, "other").code == 2


def rotated(rotator: Scene, **group: Any) -> dict[str, Any]:
    """Rotate for the first time; return the stored properties of the group."""
    rotator.write(container_groups=[{"id": rotator.group_id(), **group}])
    assert rotator("rotate", NAME, "--adopt", "--yes").code == 0
    return stored(rotator)


def stored(rotator: Scene) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(rotator.azure.container_groups.stored(rotator.group_id())["properties"])
    return found


def test_an_image_is_changed_and_nothing_else(rotator: Scene) -> None:
    before = rotated(rotator)
    rotator.azure.registries.push(rotator.seeded.login_server, "app", "v2")
    said = rotator("deploy", NAME, "--image", f"app={NEW}")
    assert (said.code, said.out.startswith("mycontainer: deployed with credential ")) == (0, True)
    before["containers"][0]["properties"]["image"] = NEW
    assert stored(rotator) == before
    assert rotator.pulls()


def test_validate_names_a_manifest_that_no_deployment_takes(rotator: Scene) -> None:
    written = rotator("manifest", NAME, "mycontainer").out
    server = rotator.seeded.login_server
    regional, variable = server.replace(".", ".eastus.geo.", 1), "environmentVariables: []"
    for old, new, words in (
        ("", "", ""),
        (variable, "environmentVariables: [{name: A, value: '${{ keyvault:a }}'}]", "would show a secret"),
        (variable, "environmentVariables: [{name: A, secureValue: }]", "it lacks values that Azure never shows"),
        (f"server: {server}", "server: other.azurecr.io", "other.azurecr.io, which is not a registry of the policy"),
        (f"server: {server}", f"server: {regional}", f"no entry of imageRegistryCredentials has the server {server}"),
    ):
        assert old in written
        (rotator.policies / "my.manifest").write_text(written.replace(old, new, 1))
        rotator.write(container_groups=[{"id": rotator.group_id(), "manifest": "my.manifest"}])
        said = rotator("validate")
        assert (said.code, words in said.out) == (2 if words else 0, True), said.out
        (shown,) = rotator("validate", "--output", "json").json["policies"]
        assert [each["group"] for each in shown["manifests"]] == [rotator.group_id()] * bool(words)


WRONG = {
    **dict.fromkeys(("app", "=x", "app="), "CONTAINER=REFERENCE"),
    **dict.fromkeys(("app=two words", "app=UPPER/Case:v1"), "not a reference of an image"),
}
REFUSED = {
    f"app={NEW}": "the registry doesn't have mycontainerregistry.azurecr.io/app:v2",
    f"web={NEW}": "Name one of its containers: app.",
}


def test_an_image_that_could_not_be_pulled_changes_nothing(rotator: Scene) -> None:
    before = rotated(rotator)
    for image, words in REFUSED.items():
        said = rotator("deploy", NAME, "--image", image)
        assert (said.code, words in said.err) == (3, True), said.err
    for image, words in WRONG.items():
        said = rotator("deploy", NAME, "--image", image)
        assert (said.code, words in said.err) == (2, True), said.err
    assert stored(rotator) == before


def test_an_image_other_than_the_manifests_is_refused(rotator: Scene) -> None:
    (rotator.policies / "mycontainer.manifest").write_text(rotator("manifest", NAME, "mycontainer").out)
    before = rotated(rotator, manifest="mycontainer.manifest")
    rotator.azure.registries.push(rotator.seeded.login_server, "app", "v2")
    said = rotator("deploy", NAME, "--image", f"app={NEW}")
    assert said.code == 3
    assert f"mycontainer.manifest says {IMAGE}" in " ".join(said.err.split())
    assert stored(rotator) == before
    file = rotator.policies / "mycontainer.manifest"
    file.write_text(file.read_text().replace(IMAGE, NEW))
    assert rotator("deploy", NAME, "--image", f"app={NEW}").code == 0
    assert stored(rotator)["containers"][0]["properties"]["image"] == NEW


def test_an_image_from_elsewhere_is_said_not_to_be_proven(rotator: Scene) -> None:
    rotated(rotator)
    said = rotator(
        "deploy", NAME, "--image", "app=mcr.microsoft.com/azuredocs/aci-helloworld:latest", "--output", "json"
    )
    assert (said.code, said.json["unproven"]) == (0, ["mcr.microsoft.com/azuredocs/aci-helloworld:latest"])
