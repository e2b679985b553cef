"""Tests of missing rights to write or link a group: rotator checks each right before any write, and prints the command
that assigns it.
"""

import shlex
from typing import Any

from local_azure.faults import Fault
from local_azure.seed import OPERATOR_ACTIONS

from tests.cli.scene import NAME, Scene
from tests.cli.test_rotation import writes

WRITE = "Microsoft.ContainerInstance/containerGroups/write"


def link(scene: Scene) -> None:
    """Give the group an identity without rotator's right to it."""
    body: dict[str, Any] = scene.azure.container_groups.stored(scene.group_id())
    scene.azure.container_groups.delete(scene.group_id())
    identity = {"type": "UserAssigned", "userAssignedIdentities": {scene.seeded.identity.resource_id: {}}}
    scene.azure.container_groups.put(
        scene.group_id(), {"location": "eastus", "properties": body["properties"], "identity": identity}, "2025-09-01"
    )
    scene.pass_(minutes=5)


def carry_out(scene: Scene, line: str) -> None:
    """Act as az would on the printed command."""
    words = shlex.split(line.strip())
    assert words[:5] == ["az", "role", "assignment", "create", "--assignee"]
    given = dict(zip(words[4::2], words[5::2], strict=True))
    owner = scene.azure.directory.principal(given["--assignee"])
    assert owner
    scene.azure.authorization.assign(given["--scope"], owner.id, given["--role"], at_once=True)


def test_a_missing_right_on_the_groups_identity_is_refused_before_any_write_and_the_command_mends_it(
    rotator: Scene,
) -> None:
    link(rotator)
    since = len(rotator.app.served)
    assert "LinkedAuthorization" not in rotator("plan").out
    said = rotator("rotate", NAME, "--adopt", "--no-overlap")
    assert said.code == 3
    assert "userAssignedIdentities/assign/action" in said.out
    assert writes([operation for operation in rotator.served(since) if operation != "keyvault.secrets.update"]) == []
    (line,) = {line.strip() for line in said.out.splitlines() if line.strip().startswith("az role")}
    carry_out(rotator, line)
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    assert rotator.password.key_id not in rotator.live()
    assert rotator.pulls()


def test_where_azure_does_not_tell_its_refusal_of_the_redeployment_is_explained(rotator: Scene) -> None:
    link(rotator)
    rotator.azure.faults.planned.append(Fault("rbac.permissions.list", "status", status=403, times=0))
    said = rotator("rotate", NAME, "--adopt")
    assert said.code == 1
    assert "LinkedAuthorizationFailed" in said.out
    assert "on the linked scope" in said.out
    assert rotator.pulls()
    assert rotator.password.key_id in rotator.live()


def weaken(scene: Scene) -> None:
    """Let rotator see container groups, and no longer write them."""
    authorization, operator = scene.azure.authorization, scene.seeded.operator.object_id
    subscription = f"/subscriptions/{scene.seeded.subscription}"
    for held in authorization.assignments(subscription, above_only=True, principals={operator}):
        authorization.delete(held.id)
    kept = [action for action in OPERATOR_ACTIONS if action != WRITE]
    authorization.define("seeing", actions=kept, scopes=[subscription])
    authorization.assign(subscription, operator, "seeing", at_once=True)
    scene.pass_(minutes=15)


def test_a_group_that_may_not_be_written_is_refused_before_its_put_and_the_command_mends_it(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt").code == 0
    rotator.deploy()
    weaken(rotator)
    since = len(rotator.app.served)
    said = rotator("rotate", NAME)
    assert said.code == 3, said.out
    assert "not_writable" in rotator("rotate", NAME, "--output", "json").out
    assert writes(rotator.served(since)) == []
    (line,) = {line.strip() for line in rotator("plan", NAME).out.splitlines() if line.strip().startswith("az role")}
    carry_out(rotator, line)
    assert rotator("rotate", NAME).code == 0
    assert "aci.containerGroups.createOrUpdate" in rotator.served(since)
    assert rotator.pulls()
