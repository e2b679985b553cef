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
