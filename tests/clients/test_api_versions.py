"""Tests of API versions: one table, and the day after each retirement."""

import ast
import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.keyvault.secrets import ApiVersion as Known
from local_azure.arm.retirement import RETIRED

import rotator.clients.arm
import rotator.clients.services
from rotator.clients.api_versions import ALL, VAULTS, ApiVersion
from rotator.clients.codes import grounds_of
from rotator.clients.refusal import Asked, parsed
from rotator.container_group import newer_values
from rotator.errors import UnsupportedVersion
from rotator.preflight import Unknown
from rotator.resource_id import ResourceId
from tests import sources
from tests.clients.scene import PASSWORD, Scene, scene

ROTATOR = Path(rotator.clients.arm.__file__).parents[1]
VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
AFTER = max(day for day, _ in RETIRED.values()) + timedelta(days=1)
"""The day after the last retirement that the emulator knows."""


@pytest.mark.xdist_group("house")
def test_no_version_stands_outside_the_table() -> None:
    found = [
        f"{file.relative_to(ROTATOR)}:{node.lineno}"
        for file in ROTATOR.rglob("*.py")
        if file.name != "api_versions.py"
        for node in ast.walk(sources.parsed(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VERSION.fullmatch(node.value)
    ]
    assert found == []


def test_every_version_is_taken_on_the_day_after_its_services_retirements() -> None:
    assert [one for one in ALL if one.oldest > one.version or (one.retires and one.retires <= AFTER.date())] == []
    assert VAULTS.oldest == RETIRED["Microsoft.KeyVault"][1]
    assert Known("2026-04-01") in Known


def to(at: Scene, day: datetime) -> None:
    """Advance the world to a day."""
    at.azure.clock.advance(day - at.azure.clock.now())


@pytest.mark.parametrize("day", [AFTER - timedelta(days=9), AFTER])
def test_the_vault_is_read_before_and_after_old_versions_retire(day: datetime) -> None:
    @scene
    async def test(at: Scene) -> None:
        to(at, day)
        found = (await at.world.examine(at.policy, [PASSWORD])).vault
        assert (found.id, found.rbac, found.unread) == (at.seeded.vault_id, True, None)
        assert (await at.world.permissions(at.policy, [])).unknown == ()

    test(pytest.MonkeyPatch())


@scene
async def test_a_retired_version_is_an_error_of_its_own(at: Scene) -> None:
    old = ApiVersion("Key Vault (control plane)", "2023-07-01")
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(rotator.clients.arm, "VAULTS", old)
        to(at, AFTER)
        with pytest.raises(UnsupportedVersion, match="2023-07-01") as refused:
            await at.world.arm.properties(ResourceId.parse(at.seeded.vault_id), dict)
        after = (await at.world.examine(at.policy, [PASSWORD])).vault
    assert "Install a newer rotator" in refused.value.remedy
    assert isinstance(after.unread, Unknown)
    assert "NoRegisteredProviderFound" in after.unread.text


@pytest.mark.parametrize("code", ["InvalidApiVersionParameter", "NoRegisteredProviderFound", "InvalidResourceType"])
def test_resource_managers_words_for_a_version_are_known(code: str) -> None:
    said = f'{{"error":{{"code":"{code}","message":"The api-version is invalid. The supported api-versions are x."}}}}'
    grounds = grounds_of(Asked("Container Instances", "read"), parsed(400, {}, said))
    assert grounds and grounds.cause == "api_version"
    assert AFTER.tzinfo is UTC


@scene
async def test_what_a_newer_version_shows_is_asked_for_once_a_newer_one_is_offered(at: Scene) -> None:
    body = at.body(priorityClass="gold")
    at.azure.container_groups.put(at.group_id, body, "2026-07-01")
    ours = (await at.world.group(at.group_id)).document
    shown = await at.world.newer_groups([at.seeded.subscription])
    assert ours and "priorityClass" not in ours["properties"]
    (lost,) = newer_values({at.group_id: ours}, shown)
    assert (lost.group, lost.path, lost.common) == (at.group_id, "properties.priorityClass", False)


@scene
async def test_policies_that_ask_within_ten_minutes_share_one_list(at: Scene) -> None:
    at.azure.container_groups.put(at.group_id, at.body(priorityClass="gold"), "2026-07-01")
    before, once = at.served().__len__(), ["arm.providers.getAtTenant", "aci.containerGroups.list"]
    shown = await asyncio.gather(*(at.world.newer_groups([at.seeded.subscription]) for _ in range(3)))
    assert shown[0] == shown[1] == shown[2] != []
    assert [each for each in at.served()[before:] if each in once] == once
    await at.clock.sleep(601)
    await at.world.newer_groups([at.seeded.subscription])
    assert [each for each in at.served()[before:] if each in once] == once * 2


@scene
async def test_nothing_is_listed_again_where_ours_is_the_newest(at: Scene) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(rotator.clients.services, "CONTAINER_GROUPS", ApiVersion("Container Instances", "2099-01-01"))
        assert await at.world.newer_groups([at.seeded.subscription]) == []
    assert "aci.containerGroups.list" not in at.served()
