"""Tests from an empty subscription to a running container group: one policy file, and every command twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from pathlib import Path

import pytest
from local_azure.arm.clouds import US_GOVERNMENT
from local_azure.inprocess import Hop
from local_azure.keyvault.secret import Changes
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import grant, outline, provision, revoke
from rotator.events import Noted
from rotator.policy import NOBODY
from rotator.state import KEY_ID
from tests.bare import CALLED, DRAFT, NAME, USER, bare, called, provisioned, settle, wanted
from tests.cells import cell
from tests.stage import SECRET, SERVER, Killed, Stage, play, watched

Scene = Callable[[Stage, Path], Awaitable[None]]


@pytest.fixture(name="scene")
def _scene(tmp_path: Path) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        async def begin(loop: VirtualLoop) -> None:
            await scene(bare(loop, tmp_path), tmp_path)

        play(begin)

    return act


def text(directory: Path) -> str:
    return (directory / f"{NAME}.yaml").read_text()


def accounted(made: Stage) -> None:
    """Check for one application, one service principal, one assignment; every credential has our marker, and the
    published one works.
    """
    (application,) = called(made)
    assert application.app_id == made.policy.app_id
    principals = [
        one
        for one in made.azure.directory.state.principals.values()
        if one.app_id == application.app_id and one.deleted is None
    ]
    assert len(principals) == 1
    assert len(made.azure.authorization.assignments(principals=[principals[0].id])) == 1
    lineage = {(p.display_name or "").split(":")[1] for p in made.credentials()}
    assert len(lineage) == 1
    assert all((p.display_name or "").startswith("rotator:") for p in made.credentials())
    assert made.azure.registries.could_pull(made.app_id, made.published(), SERVER, "aci-helloworld", "v1")
    assert made.azure.vaults.get("myvault", USER).value == made.app_id
    assert made.azure.container_groups.could_pull(made.group_id("app"))


async def twice(made: Stage, act: Callable[[], Awaitable[int]]) -> None:
    """Run a command twice; the second run writes nothing."""
    assert await act() == 0, made.told()[-3000:]
    made.pass_(minutes=20)
    since = len(made.app.served)
    assert await act() == 0, made.told()[-3000:]
    assert made.writes(since) == []


def test_a_whole_life_from_nothing_with_every_command_twice(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        before = text(directory)

        async def provisions() -> int:
            return (await provisioned(made, directory)).exit_code

        await twice(made, provisions)
        settle(made, directory)
        accounted(made)
        assert text(directory) == before.replace("  display_name", f"  app_id: {made.app_id}\n  display_name")
        assert made.tags_of("app")[KEY_ID] == made.credentials()[0].key_id
        owner = made.seeded.operator.object_id
        assert owner in made.application.owners and owner in made.principal.owners
        made.azure.container_groups.move_host(made.group_id("app"))
        made.pass_(minutes=5)
        assert made.azure.container_groups.could_pull(made.group_id("app"))

        async def rotates() -> int:
            return (await made.rotate()).exit_code

        made.pass_(days=61)
        await rotates()
        made.pass_(hours=25)
        await twice(made, rotates)
        accounted(made)

        async def revokes() -> int:
            return (await made.with_world(revoke)).exit_code

        async def grants() -> int:
            return (await made.with_world(grant)).exit_code

        await twice(made, revokes)
        assert not made.azure.container_groups.could_pull(made.group_id("app"))
        await twice(made, rotates)
        await twice(made, grants)
        await twice(made, rotates)
        accounted(made)

    scene(act)


def test_two_applications_of_the_name_are_refused_with_both_ids(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        ids = [made.azure.directory.create_application(CALLED).app_id for _ in range(2)]
        made.pass_(minutes=1)
        since = len(made.app.served)
        assert (await provisioned(made, directory)).exit_code == 3
        assert all(app_id in made.told() for app_id in ids)
        assert made.writes(since) == []

    scene(act)


def test_an_application_of_the_name_is_taken_and_only_what_is_missing_is_made(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        theirs = made.azure.directory.create_application(CALLED)
        made.azure.directory.add_owner(theirs.id, made.seeded.operator.object_id)
        made.pass_(minutes=1)
        assert (await provisioned(made, directory)).exit_code == 0, made.told()
        assert settle(made, directory).app_id == theirs.app_id
        accounted(made)

    scene(act)


def test_one_that_rotator_does_not_own_is_named_with_the_command(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        theirs = made.azure.directory.create_application(CALLED)
        made.azure.directory.create_service_principal(theirs.app_id)
        made.pass_(minutes=1)
        assert (await provisioned(made, directory)).exit_code == 1
        note, _ = [event for event in made.events if isinstance(event, Noted) and event.code == "not_owner"]
        assert (
            f"az ad app owner add --id {theirs.app_id} --owner-object-id {made.seeded.operator.object_id}" in note.text
        )
        assert made.azure.directory.passwords(theirs.app_id) == []
        made.azure.directory.add_owner(theirs.id, made.seeded.operator.object_id)
        assert (await provisioned(made, directory)).exit_code == 0, made.told()

    scene(act)


def test_the_command_that_makes_an_owner_asks_the_graph_of_the_policys_cloud(tmp_path: Path) -> None:
    async def begin(loop: VirtualLoop) -> None:
        made = bare(loop, tmp_path, US_GOVERNMENT)
        theirs = made.azure.directory.create_application(CALLED)
        principal = made.azure.directory.create_service_principal(theirs.app_id)
        made.pass_(minutes=1)
        assert (await provisioned(made, tmp_path)).exit_code == 1
        _, note = [event for event in made.events if isinstance(event, Noted) and event.code == "not_owner"]
        where = f"https://graph.microsoft.us/v1.0/servicePrincipals/{principal.id}/owners/$ref"
        owner = f'{{"@odata.id": "https://graph.microsoft.us/v1.0/directoryObjects/{made.seeded.operator.object_id}"}}'
        assert f"`az rest --method POST --url '{where}' --body '{owner}'`" in note.text

    play(begin)


def test_a_principal_that_exists_with_a_published_password_gets_no_other(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        await provisioned(made, directory)
        settle(made, directory)
        (held,) = made.credentials()
        made.azure.container_groups.delete(made.group_id("app"))
        for assignment in made.azure.authorization.assignments(principals=[made.principal.id]):
            made.azure.authorization.delete(assignment.id)
        made.pass_(minutes=5)
        assert (await provisioned(made, directory)).exit_code == 0, made.told()
        assert made.credentials() == [held]
        made.pass_(minutes=5)
        accounted(made)

    scene(act)


def test_what_would_be_made_is_shown_and_not_made(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        since, before = len(made.app.served), text(directory)
        now = wanted(directory)
        missing = await made.with_world(lambda run: outline(run, now))
        kinds = [type(step).__name__ for step in missing.steps]
        assert kinds == ["Create", "Save", "Create", "Grant", "Issue", "Publish", "Deploy"]
        assert (made.writes(since), text(directory), called(made)) == ([], before, [])
        await provisioned(made, directory)
        settle(made, directory)
        later = wanted(directory)
        assert (await made.with_world(lambda run: outline(run, later))).steps == ()

    scene(act)


def test_a_revoked_policy_is_not_provisioned(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        await provisioned(made, directory)
        settle(made, directory)
        await made.with_world(revoke)
        since = len(made.app.served)
        assert (await provisioned(made, directory)).exit_code == 3
        assert made.writes(since) == []

    scene(act)


def test_rotators_own_identity_is_never_provisioned(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        file = directory / f"{NAME}.yaml"
        file.write_text(file.read_text().replace(f"display_name: {CALLED}", f"app_id: {made.seeded.operator.app_id}"))
        since = len(made.app.served)
        assert (await provisioned(made, directory)).exit_code == 3
        assert made.writes(since) == []

    scene(act)


def test_an_app_id_that_nobody_has_is_refused(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        file = directory / f"{NAME}.yaml"
        file.write_text(file.read_text().replace(f"display_name: {CALLED}", f"app_id: {NOBODY}"))
        assert (await provisioned(made, directory)).exit_code == 1
        assert "display_name" in made.told()

    scene(act)


QUICK = DRAFT.replace("times: 2, over: 10s", "times: 1, over: 0s")
AT_ONCE = {"secret_valid": 0.0, "secret_gone": 0.0, "role_active": 0.0, "group_pending": 0.0, "group_start": 1.0}
"""Timing without delays: the fewest calls, so that each can be the last of a run."""


def _calls(directory: Path) -> list[tuple[str, str]]:
    """Return the operations of a provision without faults, with their methods."""

    async def begin(loop: VirtualLoop) -> list[tuple[str, str]]:
        made = bare(loop, directory, draft=QUICK, **AT_ONCE)
        await provisioned(made, directory)
        return [(call.operation, call.method) for call in made.app.served]

    return play(begin)


@pytest.fixture(name="calls", scope="module")
def _all_calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    return _calls(tmp_path_factory.mktemp("calls"))


def points(calls: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Return the moments at which a death leaves another world: before each call, and after each write."""
    writes = [
        (i, "after")
        for i, (operation, method) in enumerate(calls)
        if method not in ("GET", "HEAD") and not operation.startswith("entra")
    ]
    return [*((index, "before") for index in range(len(calls))), *writes]


PARTS = 12
"""Tests among which the moments are dealt out; `make test` plays the first."""


@pytest.mark.parametrize("part", [cell(part, name=str(part), soak=part > 0) for part in range(PARTS)])
def test_killed_at_any_call_it_is_finished_by_the_next_run(
    calls: list[tuple[str, str]], part: int, tmp_path: Path
) -> None:
    every = points(calls)
    assert len(every) > 60
    for index, moment in every[part::PARTS]:
        directory = tmp_path / f"{index}-{moment}"

        async def begin(
            loop: VirtualLoop, directory: Path = directory, index: int = index, moment: str = moment
        ) -> None:
            made = bare(loop, directory, draft=QUICK, **AT_ONCE)

            def kill(number: int, named: str, request: object) -> None:
                if number == index + 1:
                    raise Killed

            with watched(made, **{moment: kill}):
                assert await made.dies(provisioned(made, directory)), f"call {index} ({calls[index]}) was not reached"
            made.pass_(minutes=1)
            assert (await provisioned(made, directory)).exit_code == 0, (calls[index], moment, made.told()[-2000:])
            settle(made, directory)
            accounted(made)
            assert len(made.credentials()) <= 2, "one that is published, and at most one whose secret died with the run"
            if len(made.credentials()) > 1:
                made.pass_(hours=25)
                assert (await made.rotate()).exit_code == 0, made.told()[-2000:]
            assert [p.secret for p in made.credentials()] == [made.published()], (
                "what the dead run left is reclaimed by its name"
            )

        play(begin)


@pytest.mark.parametrize("role", ["AcrPush", "Owner", "Container Registry Repository Reader"])
def test_the_declared_role_is_given_as_the_registrys_mode_heeds_it(scene: Callable[[Scene], None], role: str) -> None:
    async def act(made: Stage, directory: Path) -> None:
        file, abac = directory / f"{NAME}.yaml", role.startswith("Container")
        file.write_text(
            file.read_text().replace(
                "registries/mycontainerregistry\n", f"registries/mycontainerregistry\n    role: {role}\n"
            )
        )
        registry = made.azure.resources.get(made.seeded.registry_id)
        assert registry
        if abac:
            registry.properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
        assert (await provisioned(made, directory)).exit_code == 0, made.told()
        settle(made, directory)
        accounted(made)
        (given,) = made.azure.authorization.assignments(principals=[made.principal.id])
        assert given.role.lower() == made.azure.authorization.role(role).name.lower()

    scene(act)


def test_a_deleted_application_of_the_name_is_nobody(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        gone = made.azure.directory.create_application(CALLED)
        made.azure.directory.delete(gone)
        made.pass_(minutes=5)
        assert (await provisioned(made, directory)).exit_code == 0, made.told()
        assert settle(made, directory).app_id != gone.app_id
        accounted(made)

    scene(act)


def test_a_deleted_secret_of_the_name_is_told_before_a_password_is_added_and_another_run_goes_on(
    scene: Callable[[Scene], None],
) -> None:
    async def act(made: Stage, directory: Path) -> None:
        made.azure.vaults.set("myvault", SECRET, "somebody's")
        made.azure.vaults.delete("myvault", SECRET)
        made.pass_(minutes=1)
        assert (await provisioned(made, directory)).exit_code == 3
        assert f"az keyvault secret recover --vault-name myvault --name {SECRET}" in made.told()
        settle(made, directory)
        assert made.credentials() == []
        made.azure.vaults.purge("myvault", SECRET)
        made.pass_(minutes=1)
        assert (await provisioned(made, directory)).exit_code == 0, made.told()
        accounted(made)

    scene(act)


@pytest.mark.parametrize("value", ["garbage", "disabled", "in quotes"])
def test_readers_that_are_refused_are_told_on_every_run_and_nothing_is_written(
    scene: Callable[[Scene], None], value: str
) -> None:
    async def act(made: Stage, directory: Path) -> None:
        await provisioned(made, directory)
        settle(made, directory)
        right = made.published()
        version = made.azure.vaults.set("myvault", SECRET, f'"{right}"' if value == "in quotes" else "garbage")
        made.azure.vaults.update("myvault", SECRET, version.id, Changes(enabled=value != "disabled"))
        made.pass_(minutes=5)
        since = len(made.app.served)
        for _ in range(2):
            made.events.clear()
            result = await provisioned(made, directory)
            assert result.exit_code == 1, made.told()
            assert [
                event.warn for event in made.events if isinstance(event, Noted) and event.code == "breaks_readers"
            ] == [True]
            assert right not in made.told()
        assert made.writes(since) == []

    scene(act)


def test_a_first_value_that_nobody_signs_in_with_is_told_on_every_run(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        made.azure.vaults.set("myvault", SECRET, "garbage")
        made.pass_(minutes=5)
        for _ in range(2):
            made.events.clear()
            result = await provisioned(made, directory)
            assert result.exit_code == 1, made.told()
            assert "`key_vault.password_secret` of the policy names another secret" in made.told()
        assert [version.value for version in made.azure.vaults.versions("myvault", SECRET)] == ["garbage"]

    scene(act)


def test_somebodys_value_that_signs_in_is_no_alarm(scene: Callable[[Scene], None]) -> None:
    async def act(made: Stage, directory: Path) -> None:
        await provisioned(made, directory)
        settle(made, directory)
        made.azure.vaults.set("myvault", SECRET, made.published())
        made.pass_(minutes=5)
        for assignment in made.azure.authorization.assignments(principals=[made.principal.id]):
            made.azure.authorization.delete(assignment.id)
        result = await provisioned(made, directory)
        assert result.exit_code == 0, made.told()

    scene(act)


@pytest.mark.share(3)
@pytest.mark.parametrize("missing", [False, True], ids=["the role is there", "the role is missing"])
@pytest.mark.parametrize(
    ("method", "moment"), [("GET", "arriving"), ("GET", "leaving"), ("PUT", "arriving"), ("PUT", "leaving")]
)
def test_a_revocation_in_between_wins(scene: Callable[[Scene], None], method: str, moment: str, missing: bool) -> None:
    async def act(made: Stage, directory: Path) -> None:
        await provisioned(made, directory)
        settle(made, directory)
        if missing:
            for each in made.azure.authorization.assignments(principals=[made.principal.id]):
                made.azure.authorization.delete(each.id)
        made.pass_(minutes=5)
        held = False

        async def gate(request: Request) -> None:
            nonlocal held
            if not held and request.method == method and "/roleassignments" in request.path.lower():
                held = True
                await asyncio.create_task(made.with_world(lambda run: revoke(run, wait=False)), context=Context())

        now = wanted(directory)
        hop = Hop(
            made.app, arriving=gate if moment == "arriving" else None, leaving=gate if moment == "leaving" else None
        )
        result = await made.with_world(lambda run: provision(run, now), hop=hop)
        assert held == (missing or method == "GET")
        if held:
            assert made.azure.authorization.assignments(principals=[made.principal.id]) == [], made.told()
            seen_before = (method, moment, missing) == ("GET", "leaving", False)
            assert result.exit_code == (0 if seen_before else 3), made.told()

    scene(act)
