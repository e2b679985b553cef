"""Tests of undeclared container groups, and of unreadable subscriptions: no credential is retired that one of them may
hold.
"""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from local_azure.aci import wire
from local_azure.seed import LOCATION, OPERATOR_ACTIONS
from local_azure.wire import ServiceError

from rotator.engine import deploy_now, glance, revoke
from rotator.events import Noted
from rotator.report.status_json import status_body
from rotator.state import KEY_ID
from tests.engine.test_life import declared, forced, ours, said, settled
from tests.invariants import monitored, rested, summary
from tests.matrices.fast import fast
from tests.stage import GROUPS, Adapter, Stage, real

ELSEWHERE = "00000000-0000-0000-0000-000000000002"
READ = "Microsoft.ContainerInstance/containerGroups/read"


def stranger(made: Stage, subscription: str | None = None, group: str | None = None, name: str = "stranger") -> str:
    """Deploy a group by hand with the currently published password; return its id."""
    where, own = subscription or made.seeded.subscription, group or made.seeded.resource_group
    made.azure.resources.create_group(where, own, LOCATION)
    group_id = (
        f"/subscriptions/{where}/resourceGroups/{own}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
    )
    made.azure.container_groups.put(group_id, made.body(made.app_id, made.published()), "2025-09-01")
    made.pass_(hours=1)
    return group_id


def tags(made: Stage, group_id: str) -> dict[str, str]:
    return dict(made.azure.container_groups.stored(group_id).get("tags", {}))


async def rotated(made: Stage) -> str:
    """Rotate early, and again after the overlap; return the key id of the old credential."""
    (old,) = ours(made)
    await made.rotate(forced(made))
    made.pass_(hours=25)
    made.events.clear()
    await made.rotate()
    return old


def subscription(made: Stage, *, listable: bool = False) -> str:
    """Add a second subscription, with or without the operator's role."""
    made.azure.resources.add_subscription(ELSEWHERE, "Another")
    if listable:
        scope = f"/subscriptions/{ELSEWHERE}"
        made.azure.authorization.define("rotator operator there", actions=list(OPERATOR_ACTIONS), scopes=[scope])
        made.azure.authorization.assign(scope, made.seeded.operator.object_id, "rotator operator there", at_once=True)
    made.with_policy(discover={"subscriptions": [made.seeded.subscription, ELSEWHERE]})
    return ELSEWHERE


@pytest.mark.parametrize("place", ["another resource group", "another subscription"])
def test_a_group_elsewhere_keeps_the_old_credential_until_it_may_be_moved(place: str) -> None:
    async def scene(made: Stage) -> None:
        where = subscription(made, listable=True) if place == "another subscription" else None
        group_id = stranger(made, where, "another")
        old = await rotated(made)
        assert old in ours(made)
        assert "stranger may hold it" in made.told()
        assert KEY_ID not in tags(made, group_id)
        made.with_policy(
            discover={"redeploy": True, "subscriptions": [where or made.seeded.subscription, made.seeded.subscription]}
        )
        with monitored(made, GROUPS):
            await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert tags(made, group_id)[KEY_ID] in ours(made)
        assert made.azure.container_groups.could_pull(group_id)

    settled(scene)


def test_a_group_that_appears_in_the_middle_of_a_rotation_keeps_what_it_was_given() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        value = made.published()
        await made.rotate(forced(made))
        group_id = made.group_id("late")
        made.azure.container_groups.put(group_id, made.body(made.app_id, value), "2025-09-01")
        made.pass_(hours=25)
        await made.rotate()
        assert old in ours(made)
        assert "late may hold it" in made.told()
        assert made.azure.container_groups.could_pull(group_id)
        made.with_policy(container_groups=[declared(made, name) for name in (*GROUPS, "late")])
        await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert rested(made), summary(made)

    settled(scene)


@pytest.mark.parametrize("adapter", [real, fast])
def test_a_group_that_shows_the_old_password_in_base64_keeps_it_though_it_does_not_show_the_app_id(
    adapter: Adapter,
) -> None:
    async def scene(made: Stage) -> None:
        made.adapter = adapter
        auth = b64encode(f"{made.app_id}:{made.published()}".encode()).decode()
        body = made.body("", "")
        del body["properties"]["imageRegistryCredentials"]
        body["properties"]["containers"][0]["properties"]["image"] = "mcr.microsoft.com/azuredocs/aci-helloworld"
        body["properties"]["containers"][0]["properties"]["command"] = ["sh", "-c", f"echo {auth} > config.json; build"]
        made.azure.container_groups.put(made.group_id("builder"), body, "2025-09-01")
        old = await rotated(made)
        assert old in ours(made)
        assert "builder shows a password that begins like it in plain sight" in made.told()
        made.azure.container_groups.delete(made.group_id("builder"))
        await made.rotate()
        assert old not in ours(made)

    settled(scene)


def test_a_group_is_found_on_the_last_page_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAGE", 1)

    async def scene(made: Stage) -> None:
        stranger(made, name="zzz")
        old = await rotated(made)
        assert sum(call.operation == "aci.containerGroups.list" for call in made.app.served) > 3
        assert old in ours(made)
        assert "zzz may hold it" in made.told()

    settled(scene)


def test_a_subscription_that_is_not_registered_for_container_instances_has_no_group_to_wait_for() -> None:
    """A subscription with registries alone may be unregistered; the message is Azure's for any unregistered
    provider.
    """

    async def scene(made: Stage) -> None:
        subscription(made, listable=True)
        shown = made.azure.container_groups.list

        def listed(where: str, group: str | None = None) -> object:
            if where == ELSEWHERE:
                raise ServiceError(
                    409, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace."
                )
            return shown(where, group)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(made.azure.container_groups, "list", listed)
            old = await rotated(made)
        assert old not in ours(made)
        assert not said(made, "unseen")

    settled(scene)


def unreadable(made: Stage, monkeypatch: pytest.MonkeyPatch, group_id: str) -> None:
    """Refuse the GET of a listed group, as a deny assignment may do."""
    shown = made.azure.container_groups.get

    def get(asked: str) -> object:
        if asked.lower() == group_id.lower():
            raise ServiceError(
                403, "AuthorizationFailed", f"The client does not have authorization to perform action '{READ}'."
            )
        return shown(asked)

    monkeypatch.setattr(made.azure.container_groups, "get", get)


@pytest.mark.parametrize("redeploy", [False, True])
def test_a_group_that_the_list_shows_and_that_may_not_be_read_keeps_the_old_credential(
    monkeypatch: pytest.MonkeyPatch, redeploy: bool
) -> None:
    async def scene(made: Stage) -> None:
        made.with_policy(discover={"redeploy": redeploy})
        group_id = stranger(made)
        unreadable(made, monkeypatch, group_id)
        old = await rotated(made)
        assert old in ours(made)
        assert said(made, "unreadable")
        assert "stranger may hold it" in made.told()
        assert made.azure.container_groups.could_pull(group_id)
        monkeypatch.undo()
        made.with_policy(discover={"redeploy": True})
        await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)

    settled(scene)


def test_what_the_list_says_of_a_group_that_may_not_be_read_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group's tag names its credential: it holds this one and no other."""

    async def scene(made: Stage) -> None:
        group_id = stranger(made)
        made.with_policy(discover={"redeploy": True})
        await made.rotate(forced(made))
        made.pass_(hours=25)
        unreadable(made, monkeypatch, group_id)
        made.events.clear()
        assert (await made.rotate()).exit_code == 0
        assert len(ours(made)) == 1
        assert not said(made, "held")

    settled(scene)


def test_a_subscription_that_may_not_be_listed_blocks_by_name_until_that_is_accepted() -> None:
    async def scene(made: Stage) -> None:
        where = subscription(made)
        old = await rotated(made)
        assert old in ours(made)
        assert said(made, "unseen")
        assert f"subscription {where} can't be searched" in made.told()
        made.with_policy(discover={"subscriptions": [made.seeded.subscription, where], "unseen": "accept"})
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)

    settled(scene)


def worker(made: Stage) -> str:
    """Declare a group that pulls without a password, with the published one hidden in a variable; return its id."""
    group_id, hidden = made.group_id("worker"), [{"name": "VALUE", "secureValue": made.published()}]
    body = made.body(made.app_id, "x", imageRegistryCredentials=[])
    body["properties"]["containers"][0]["properties"] |= {
        "image": "mcr.microsoft.com/azuredocs/aci-helloworld",
        "environmentVariables": hidden,
    }
    made.azure.container_groups.put(group_id, body, "2025-09-01")
    made.with_policy(container_groups=[*(declared(made, name) for name in GROUPS), {"id": group_id}])
    made.pass_(hours=1)
    return group_id


def test_a_hidden_variable_of_a_declared_group_keeps_the_old_credential_until_the_policy_says_whose_it_is() -> None:
    """The group pulls without a password, but may sign in with ours."""

    async def scene(made: Stage) -> None:
        group_id = worker(made)
        old = await rotated(made)
        assert old in ours(made)
        assert said(made, "unsaid") and "worker may hold it in containers/app/env/VALUE" in made.told()
        made.with_policy(
            container_groups=[
                *(declared(made, name) for name in GROUPS),
                {"id": group_id, "secrets": {"containers/app/env/VALUE": {"key_vault": "theirs"}}},
            ]
        )
        await made.rotate()
        assert old not in ours(made)

    settled(scene)


def logging_in(made: Stage) -> dict[str, Any]:
    """Declare a group that pulls without a password, and shows the published one in its command; return its body."""
    group_id = made.group_id("worker")
    body = made.body(made.app_id, "x", imageRegistryCredentials=[])
    properties = body["properties"]["containers"][0]["properties"]
    properties["image"] = "mcr.microsoft.com/azuredocs/aci-helloworld"
    properties["command"] = [
        "sh",
        "-c",
        f"az login --service-principal -u {made.app_id} -p {made.published()}; run",
    ]
    made.azure.container_groups.put(group_id, body, "2025-09-01")
    made.with_policy(container_groups=[*(declared(made, name) for name in GROUPS), {"id": group_id}])
    made.pass_(hours=1)
    return body


def test_a_password_in_a_command_keeps_its_credential_until_the_text_is_changed() -> None:
    """The password was made by a person, and adopted; Graph shows its hint."""

    async def scene(made: Stage) -> None:
        body = logging_in(made)
        password = made.published()
        old = await rotated(made)
        assert old in ours(made)
        assert said(made, "shown") and "in properties.containers[0].properties.command[2]" in made.told()
        assert password not in made.told()
        body["properties"]["containers"][0]["properties"]["command"] = ["run"]
        made.azure.container_groups.put(made.group_id("worker"), body, "2025-09-01")
        await made.rotate()
        assert old not in ours(made)

    settled(scene)


def test_a_revocation_of_the_passwords_names_the_group_whose_hidden_variable_may_hold_one() -> None:
    async def scene(made: Stage) -> None:
        group_id = worker(made)
        await made.with_world(lambda run: revoke(run, wait=False, credentials=True))
        losers = [event.subject for event in made.events if isinstance(event, Noted) and event.code == "loses_password"]
        assert sorted(losers) == sorted([*map(made.group_id, GROUPS), group_id])

    settled(scene)


def test_a_revocation_of_the_passwords_names_the_group_whose_command_shows_one() -> None:
    async def scene(made: Stage) -> None:
        logging_in(made)
        await rotated(made)
        made.events.clear()
        await made.with_world(lambda run: revoke(run, wait=False, credentials=True))
        losers = [event.subject for event in made.events if isinstance(event, Noted) and event.code == "loses_password"]
        assert made.group_id("worker") in losers

    settled(scene)


def hiding(made: Stage, name: str, variables: list[dict[str, str]]) -> None:
    """Make a group without a sign of the principal, with a hidden variable."""
    body = made.body(made.app_id, "x", imageRegistryCredentials=[])
    body["properties"]["containers"][0]["properties"] |= {
        "image": "mcr.microsoft.com/azuredocs/aci-helloworld",
        "environmentVariables": variables,
    }
    made.azure.container_groups.put(made.group_id(name), body, "2025-09-01")


def test_groups_elsewhere_that_hide_a_clients_secret_are_one_note_while_a_credential_waits_and_keep_none() -> None:
    async def scene(made: Stage) -> None:
        hidden = {"name": "AZURE_CLIENT_SECRET", "secureValue": made.published()}
        hiding(made, "worker-a", [hidden])
        hiding(made, "worker-b", [{"name": "ACR_PASSWORD", "secureValue": "x"}])
        hiding(made, "anothers", [hidden, {"name": "AZURE_CLIENT_ID", "value": "00000000-0000-4000-8000-000000000001"}])
        hiding(made, "database", [{"name": "DB_PASSWORD", "secureValue": "x"}])
        hiding(made, "shown", [{"name": "CLIENT_SECRET", "value": "x"}])
        made.pass_(hours=1)
        (old,) = ours(made)
        since = len(made.app.served)
        await made.rotate(forced(made))
        (note,) = [event for event in made.events if isinstance(event, Noted) and event.code == "hiding"]
        assert note.text.startswith("worker-a, worker-b hide a variable")
        assert not note.warn
        assert not [call for call in made.app.served[since:] if "worker-" in call.path]
        made.pass_(hours=25)
        made.events.clear()
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert not [event for event in made.events if isinstance(event, Noted) and event.code == "hiding"]

    settled(scene)


def test_a_group_that_lost_its_tag_is_told_with_the_command_that_moves_it_while_a_foreign_credential_lives() -> None:
    async def scene(made: Stage) -> None:
        end = made.azure.clock.now() + timedelta(days=360)
        made.azure.directory.add_password(made.application, display_name="theirs", end=end, at_once=True)
        await rotated(made)
        made.azure.container_groups._known(made.group_id("app")).resource["tags"].clear()
        made.events.clear()
        assert (await made.rotate()).exit_code == 0
        text = (
            "if that credential was removed, its next pull fails. `rotator deploy mycontainerregistry app` gives it the"
            " current one"
        )
        assert text in made.told()
        (row,) = status_body([(made.policy.name, await made.with_world(glance))])
        assert [remark for remark in row["remarks"] if text in remark]
        await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=True))
        (row,) = status_body([(made.policy.name, await made.with_world(glance))])
        assert row["remarks"] == []

    settled(scene)
