"""Tests of ten published kinds of deployment files, from validate to a rotation: the running group equals its file."""

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.scene import NAME, Scene

FILES = Path(__file__).parent / "published"
IN_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup"
PULLER = f"{IN_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/myidentity"
NAMES = sorted({file.name.split(".")[0] for file in FILES.iterdir()})


def _named(name: str) -> Any:
    if (FILES / f"{name}.parameters.json").exists():
        return {"file": f"m/{name}.json", "parameters": f"m/{name}.parameters.json"}
    return f"m/{next(file.name for file in FILES.glob(f'{name}.*'))}"


@pytest.fixture(name="published")
def _published(rotator: Scene) -> Scene:
    """Return a scene whose policy has ten manifests, with their secrets and roles."""
    shutil.copytree(FILES, rotator.policies / "m")
    made = [{"id": rotator.group_id(name), "manifest": _named(name)} for name in NAMES]
    rotator.write(container_groups=[{"id": rotator.group_id()}, *made])
    for name in ("sftp-users", "files-key", "pem", "logs"):
        rotator.azure.vaults.set("myvault", name, f"the {name}")
    rotator.azure.authorization.assign(IN_GROUP, rotator.seeded.operator.object_id, "Contributor", at_once=True)
    return rotator


def _shown(rotator: Scene, name: str) -> dict[str, Any]:
    """Return the group's content without values that a rotation writes."""
    made: dict[str, Any] = copy.deepcopy(rotator.azure.container_groups.get(rotator.group_id(name)))
    made["tags"] = {tag: value for tag, value in made["tags"].items() if not tag.startswith("rotator-")}
    for part in (made["properties"], *(one["properties"] for one in made["properties"]["containers"])):
        part.pop("instanceView", None)
    made["properties"].pop("provisioningState")
    return made


def test_ten_published_files_are_deployed_compared_and_rotated(published: Scene) -> None:
    assert len(NAMES) == 10
    said = published("validate")
    assert (said.code, said.err) == (0, "")
    assert published("rotate", NAME, "--adopt").code == 0
    for name in NAMES:
        said = published("deploy", NAME, name)
        assert (name, said.code) == (name, 0), said.err
        assert said.out.startswith(f"{name}: deployed with credential ")
    before = {name: _shown(published, name) for name in NAMES}
    variables = {
        each["name"]: each.get("value")
        for name in ("sftp", "worker", "pdf-prod")
        for each in before[name]["properties"]["containers"][0]["properties"]["environmentVariables"]
    }
    assert {name: variables[name] for name in ("DEBUG", "UMASK", "LR", "TZ", "CORS", "ENV")} == {
        "DEBUG": "n",
        "UMASK": "18",
        "LR": "1e-4",
        "TZ": "+01:00",
        "CORS": '["https://contoso.com"]',
        "ENV": "production",
    }
    assert before["worker"]["tags"] == {"commit": "7e38291", "built": "2024-01-17", "prod": "True"}
    assert before["shopfront"]["tags"] == {"exampleTag": "tutorial", "release": "1.1"}
    assert [list(before[name]["identity"]["userAssignedIdentities"]) for name in ("exported", "pdf-prod")] == [
        [PULLER],
        [PULLER],
    ]
    said = published("plan", NAME)
    assert [
        name for name in NAMES if not re.search(rf"manifest   {name}: .* matches the running group", said.out)
    ] == [], said.out
    published.pass_(days=2)
    assert published("rotate", NAME).code == 0
    said = published("rotate", NAME, "--force", "--yes")
    assert said.code == 0, said.out + said.err
    assert {name: _shown(published, name) for name in NAMES} == before
    assert [name for name in NAMES if not published.pulls(name)] == []
    listed = published("discover").out
    assert [name for name in NAMES if f"myResourceGroup/{name} " not in listed] == []
