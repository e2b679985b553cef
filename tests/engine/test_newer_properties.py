"""Tests of a group with a value that only a newer API version shows: no write before a person decides about the
value.
"""

from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator import guard
from rotator.codes import NoteCode, ReasonCode
from rotator.engine import Run, adopt, preview
from rotator.engine.job import deploy_now
from rotator.engine.memory import Memory
from rotator.engine.observation import look
from rotator.engine.preparation import prepared
from rotator.engine.run import Seen
from rotator.errors import UnsafeStep
from rotator.events import Noted, Vetoed
from rotator.steps import Intent, Reason, Restore, Step
from tests.stage import Stage, stage

NEWEST, PATH = "2026-07-01", "properties.priorityClass"


def set_by_a_newer_tool(made: Stage, name: str = "app", **properties: Any) -> None:
    body = made.body(made.app_id, made.by_hand.secret, **properties)
    made.azure.container_groups.put(made.group_id(name), body, NEWEST)
    made.pass_(minutes=10)


async def rotated(made: Stage) -> int:
    made.events.clear()
    return (await made.rotate(Intent(force_before=made.azure.clock.now(), no_overlap=True))).exit_code


def vetoes(made: Stage) -> list[str]:
    return [event.code for event in made.events if isinstance(event, Vetoed)]


async def begun(loop: VirtualLoop, *groups: str) -> Stage:
    made = stage(loop, groups=groups)
    await made.with_world(lambda run: adopt(run, None))
    return made


async def test_a_value_that_a_redeployment_would_lose_stops_the_rotation_before_any_write(loop: VirtualLoop) -> None:
    made = await begun(loop, "app")
    set_by_a_newer_tool(made, priorityClass="gold")
    before, credentials = made.password_of("app"), {p.key_id for p in made.credentials()}
    assert await rotated(made) == 3
    assert vetoes(made) == ["newer_value"]
    assert PATH in made.told() and "accept_loss" in made.told()
    assert (made.password_of("app"), {p.key_id for p in made.credentials()}) == (before, credentials)

    made.with_policy(container_groups=[{"id": made.group_id("app"), "accept_loss": [PATH]}])
    assert await rotated(made) == 0
    assert made.password_of("app") == made.published() != before


@pytest.mark.parametrize("tagged", [False, True])
async def test_a_value_that_a_deployment_by_hand_would_lose_stops_it(loop: VirtualLoop, tagged: bool) -> None:
    made = await begun(loop, "app")
    await rotated(made)
    stored = made.azure.container_groups.stored(made.group_id("app"))
    set_by_a_newer_tool(made, priorityClass="gold")
    if tagged:
        made.azure.container_groups.patch_tags(made.group_id("app"), stored["tags"])
    writes = len(made.app.served)
    with pytest.raises(UnsafeStep, match=PATH) as refused:
        await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
    assert "accept_loss" in refused.value.remedy
    assert made.writes(writes) == []

    made.with_policy(container_groups=[{"id": made.group_id("app"), "accept_loss": [PATH]}])
    await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
    assert made.password_of("app") == made.published()


async def ready(run: Run, step: Step) -> Seen:
    """Return a look with the facts that the guard needs for a step."""
    memory = Memory()
    return await prepared(run, await look(run, memory), memory, (step,))


async def test_a_value_that_a_newer_tool_set_after_the_first_rotation_keeps_its_group_where_it_is(
    loop: VirtualLoop,
) -> None:
    made = await begun(loop, "app", "second")
    assert await rotated(made) == 0
    old, tags = made.published(), made.azure.container_groups.stored(made.group_id("app"))["tags"]
    body = made.body(made.app_id, old, priorityClass="gold")
    made.azure.container_groups.put(made.group_id("app"), {**body, "tags": tags}, NEWEST)
    made.pass_(days=2)
    shown = (await made.with_world(preview)).plan
    assert NoteCode.WOULD_LOSE in [note.code for note in shown.notes] and not shown.steps
    back = Restore(made.group_id("app"), "", "", "", 1, Reason(ReasonCode.FORCED, ""))
    seen = await made.with_world(lambda run: ready(run, back))
    veto = guard.check(back, made.policy, seen.observed, known=seen.known)
    assert veto and veto.code == "newer_value", "a way back would lose it, too"

    read = len(made.app.served)
    assert await rotated(made) == 3
    assert vetoes(made) == ["newer_value"] and PATH in made.told()
    assert (made.password_of("app"), made.password_of("second")) == (old, made.published())
    assert made.azure.container_groups.move_host(made.group_id("app")), "its credential stays"
    asked = [call.operation for call in made.app.served[read:] if call.operation == "arm.providers.getAtTenant"]
    assert len(asked) == 1

    made.with_policy(
        container_groups=[
            {"id": made.group_id("app"), "accept_loss": [PATH]},
            {"id": made.group_id("second")},
        ]
    )
    made.events.clear()
    assert (await made.rotate()).exit_code == 0, made.told()
    assert made.password_of("app") == made.published()


async def test_a_deployment_by_hand_goes_on_and_says_so_where_azure_does_not_tell_its_newest_version(
    loop: VirtualLoop,
) -> None:
    made = await begun(loop, "app")
    await rotated(made)
    made.azure.faults.add(Fault("arm.providers.getAtTenant", "status", status=403, code="AuthorizationFailed"))
    await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
    assert NoteCode.UNCHECKED in [event.code for event in made.events if isinstance(event, Noted)]


async def test_a_value_that_every_group_has_is_a_note_and_stops_nothing(loop: VirtualLoop) -> None:
    made = await begun(loop, "app", "second")
    made.azure.container_groups.delete(made.group_id("bystander"))
    for name in ("app", "second"):
        set_by_a_newer_tool(made, name, zoneMode="Auto")
    assert await rotated(made) == 0, made.told()
    assert [event.code for event in made.events if isinstance(event, Noted)].count(NoteCode.NEWER_VALUE) == 1
    assert made.password_of("app") == made.password_of("second") == made.published()


@pytest.mark.parametrize("change", ["a tag", "a property"])
async def test_a_change_between_the_two_reads_is_no_loss(loop: VirtualLoop, change: str) -> None:
    made = await begun(loop, "app")

    def edited(number: int, operation: str, request: Request) -> None:
        del number, request
        if operation == "arm.providers.getAtTenant":
            made.before.remove(edited)
            stored = made.azure.container_groups.stored(made.group_id("app"))
            body = made.body(made.app_id, made.by_hand.secret)
            if change == "a tag":
                body["tags"] = {**stored["tags"], "cost": "1"}
            else:
                body["properties"]["containers"][0]["properties"]["command"] = ["serve"]
            made.azure.container_groups.put(made.group_id("app"), body, "2025-09-01")

    made.before.append(edited)
    await rotated(made)
    assert edited not in made.before
    assert "newer_value" not in vetoes(made)
