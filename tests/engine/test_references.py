"""Tests of a group whose registry password Azure reads from Key Vault: rotator assumes the newest version at the
group's last deployment.
"""

from typing import Any

from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.state import KEY_ID
from tests.engine.test_groups import PUT, Story, forced, told
from tests.invariants import monitored
from tests.stage import SECRET, SERVER, Stage


def refer(made: Stage, name: str = "app") -> None:
    """Deploy the group anew with a reference to the newest version, and let rotator and the group use the identity."""
    identity, group_id = made.seeded.identity, made.group_id(name)
    authorization = made.azure.authorization
    authorization.assign(made.seeded.vault_id, identity.object_id, "Key Vault Secrets User", at_once=True)
    authorization.assign(
        identity.resource_id, made.seeded.operator.object_id, "Managed Identity Operator", at_once=True
    )
    reference = {
        "name": "pull",
        "identity": identity.resource_id,
        "secretReferenceUri": f"{made.seeded.vault_url}/secrets/{SECRET}",
    }
    entry = {"server": SERVER, "username": made.app_id, "passwordReference": "pull"}
    body: dict[str, Any] = made.body(made.app_id, "", imageRegistryCredentials=[entry], secretReferences=[reference])
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {identity.resource_id: {}}}
    made.azure.container_groups.delete(group_id)
    made.azure.container_groups.put(group_id, body, "2025-09-01")
    made.pass_(minutes=5)


async def referring(loop: VirtualLoop) -> Story:
    story = await told(loop, ("app", "second"))
    refer(story.made)
    return story


async def test_a_group_with_a_reference_moves_before_the_old_credential_goes_and_can_pull_wherever_it_is_moved(
    loop: VirtualLoop,
) -> None:
    story = await referring(loop)
    made = story.made
    with monitored(made, ("app", "second")):
        assert await story.run(forced(made)) == 0
        assert story.puts() == {"app": 1, "second": 1}
        made.pass_(hours=25)
        assert await story.run() == 0
    assert story.retired()
    entry = made.azure.container_groups.stored(made.group_id("app"))["properties"]["imageRegistryCredentials"]
    assert entry == [{"server": SERVER, "username": made.app_id, "passwordReference": "pull"}]
    assert made.azure.container_groups.move_host(made.group_id("app")), "the platform moves it, and its pull succeeds"


async def test_the_old_credential_stays_while_a_group_with_a_reference_has_not_moved(loop: VirtualLoop) -> None:
    story = await referring(loop)
    made = story.made
    made.with_policy(container_groups=[{"id": made.group_id("second")}])
    await story.run(forced(made))
    made.pass_(hours=26)
    await story.run()
    assert story.puts() == {"second": 1}
    assert not story.retired()
    assert story.said("undeclared")
    assert made.azure.container_groups.move_host(made.group_id("app"))


async def test_a_group_with_a_reference_that_can_not_pull_goes_forward_when_its_cause_is_mended(
    loop: VirtualLoop,
) -> None:
    story = await referring(loop)
    made = story.made
    made.azure.faults.add(Fault(PUT, "failed_pull", argument="9"))
    assert await story.run(forced(made)) == 1
    assert story.puts() == {"app": 1}, "no way back, and nobody follows"
    assert made.tags_of("app")[KEY_ID] != story.old
    assert story.said("forward_only")
    await story.go_on(6)
    assert story.codes[-1] == 0
    assert story.retired()
