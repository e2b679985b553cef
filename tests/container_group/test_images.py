"""Tests of new images: the refused ones, the proven ones, and no other change of the group."""

from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Document
from rotator.errors import UnsafeStep
from tests.container_group.documents import APP_ID, SERVER, declared, document, manifest

NEW = f"{SERVER}/other:v2"


def of(shown: dict[str, Any], **more: Any) -> Document:
    made, said = declared("g", **more)
    return Document(shown, made, said)


def test_main_and_init_containers_get_their_images_and_nothing_else_changes() -> None:
    shown = document("everything")
    changed = container_group.with_images(of(shown), {"app": NEW, "migrate": "docker.io/library/busybox:1"})
    told = container_group.difference(shown, changed.body)
    assert [change.path for change in told] == [
        "properties.containers[app].properties.image",
        "properties.initContainers[migrate].properties.image",
    ]
    assert shown == document("everything")


def test_without_images_it_is_the_same_document() -> None:
    before = of(document("plain"))
    assert container_group.with_images(before, {}) is before


def test_only_what_is_pulled_with_the_password_can_be_proven() -> None:
    images = {"app": NEW, "sidecar": "mcr.microsoft.com/x:1"}
    changed = container_group.with_images(of(document("everything")), images)
    assert container_group.provable(changed, images) == (NEW,)


@pytest.mark.parametrize("port", ["443", "5000"])
def test_a_registry_of_the_policy_with_a_port_is_refused_since_no_entry_can_have_one(port: str) -> None:
    shown = document("plain")
    name, host = shown["properties"]["containers"][0]["name"], "mycontainerregistry.azurecr.io"
    with pytest.raises(UnsafeStep, match=f"no imageRegistryCredentials entry for {host}:{port}") as raised:
        container_group.with_images(of(shown), {name: f"{host}:{port}/x:1"})
    assert raised.value.remedy == f"Write {host} without a port: Azure takes none in an entry's server."


def test_a_registry_of_the_policy_without_an_entry_is_refused() -> None:
    shown = document("plain")
    name = shown["properties"]["containers"][0]["name"]
    with pytest.raises(UnsafeStep, match=r"no imageRegistryCredentials entry for second\.azurecr\.io"):
        container_group.with_images(of(shown), {name: "second.azurecr.io/x:1"})
    entry = {"server": "second.azurecr.io", "username": APP_ID}
    shown["properties"]["imageRegistryCredentials"].append(entry)
    assert container_group.with_images(of(shown), {name: "second.azurecr.io/x:1"}).body != shown


def test_a_confidential_group_keeps_the_images_that_its_policy_names() -> None:
    shown = document("plain")
    shown["properties"]["sku"] = "confidential"
    with pytest.raises(UnsafeStep, match="ccePolicy"):
        container_group.with_images(of(shown), {shown["properties"]["containers"][0]["name"]: NEW})


def test_a_manifest_without_the_container_refuses_its_image() -> None:
    shown, written = document("plain"), document("plain")
    name = shown["properties"]["containers"][0]["name"]
    written["properties"]["containers"][0]["name"] = "another"
    with pytest.raises(UnsafeStep, match=r"nightly\.yaml has no such container"):
        container_group.with_images(of(shown, manifest=manifest(written)), {name: NEW})
