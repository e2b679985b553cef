"""Tests of revocations in difficult worlds: the report agrees with the emulator's registry."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache

import pytest
from local_azure.keyvault.secret import Changes
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, grant, revoke
from rotator.events import Noted, PullRefused, StepFailed
from rotator.results import Result
from tests.cells import Call, calls, cell, sampled
from tests.snapshot import kept
from tests.stage import SECRET, SERVER, Killed, Stage, lagging, play, stage, watched

Scene = Callable[[Stage], Awaitable[None]]
REGISTRIES = "Microsoft.ContainerRegistry/registries"
READER = "Container Registry Repository Reader"
TEAM = "11111111-2222-4333-8444-555555555555"


def scene(act: Scene, **timing: float) -> None:
    """Act in a world with a principal that may pull, and one group that pulls as the principal."""

    async def begin(loop: VirtualLoop) -> None:
        await act(stage(loop, groups=("app",), timing=lagging(**timing)))

    play(begin)


async def revoked(made: Stage, *, credentials: bool = False, wait: bool = True) -> Result:
    made.events.clear()
    return await made.with_world(lambda run: revoke(run, wait=wait, credentials=credentials))


def told(made: Stage) -> set[str]:
    return {event.code for event in made.events if isinstance(event, Noted)}


def text(made: Stage, code: str) -> str:
    return "\n".join(event.text for event in made.events if isinstance(event, Noted) and event.code == code)


def proven(made: Stage) -> bool:
    return any(isinstance(event, PullRefused) for event in made.events)


def pulls(made: Stage, server: str = SERVER, secret: str = "", app_id: str = "") -> bool:
    """Tell if the principal's password pulls now, by the emulator."""
    return made.azure.registries.could_pull(
        app_id or made.app_id, secret or made.by_hand.secret, server, "aci-helloworld", "v1"
    )


def roles(made: Stage) -> set[str]:
    return {a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])}


def above(made: Stage) -> str:
    return made.seeded.registry_id.split("/providers/")[0]


def test_the_first_thing_said_is_whether_the_access_is_gone() -> None:
    async def act(made: Stage) -> None:
        async def verdict(**more: bool) -> str:
            return (await revoked(made, **more)).summary

        assert await verdict(wait=False) == "access is marked as revoked, but it is not proven that pulls are refused"
        inherited = made.azure.authorization.assign(above(made), made.principal.id, "Reader", at_once=True)
        assert await verdict() == "ACCESS REMAINS: the principal can still pull"
        assert await verdict(credentials=True) == "ACCESS REMAINS: the principal can still pull", (
            "one password isn't ours"
        )
        made.azure.authorization.delete(inherited.id)
        assert await verdict() == "access is gone: every pull is refused"
        role = made.azure.authorization.define("assigns", actions=["Microsoft.Authorization/roleAssignments/write"])
        helps = made.azure.authorization.assign(above(made), made.principal.id, role.name, at_once=True)
        assert await verdict() == "pulls are refused, but the principal can give itself access again"
        made.azure.authorization.delete(helps.id)
        made.azure.directory.remove_password(made.application, made.by_hand.key_id)
        made.pass_(minutes=5)
        assert await verdict() == "access is gone: no password, certificate or other means signs in as the principal"
        made.azure.directory.delete(made.application)
        made.pass_(hours=1)
        assert await verdict() == "access is gone: the principal doesn't exist"

    scene(act)


def test_a_second_revocation_writes_nothing_and_proves_again() -> None:
    async def act(made: Stage) -> None:
        assert (await revoked(made)).exit_code == 0
        assert not pulls(made)
        since = len(made.app.served)
        assert (await revoked(made)).exit_code == 0
        assert made.writes(since) == []
        assert proven(made)
        assert "75 min" in text(made, "residue")

    scene(act)


@pytest.mark.parametrize("role", ["Reader", "Contributor", "AcrPush", "Owner"])
def test_an_inherited_role_is_named_and_the_principal_still_pulls(role: str) -> None:
    async def act(made: Stage) -> None:
        inherited = made.azure.authorization.assign(above(made), made.principal.id, role, at_once=True)
        assert (await revoked(made)).exit_code == 1
        made.pass_(minutes=30)
        assert pulls(made), "so the report must not call it revoked"
        assert not proven(made)
        assert f"{role} at {above(made)}" in text(made, "still_granted")
        assert f"`az role assignment delete --ids {inherited.id}`" in text(made, "still_granted")
        assert "--credentials" not in text(made, "not_proven"), "the only password was made by hand, and would stay"
        assert roles(made) == {inherited.id}

    scene(act)


def test_access_through_a_group_is_named_with_the_group() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.join(TEAM, made.principal.id, "Platform team")
        made.azure.authorization.assign(above(made), TEAM, "AcrPull", at_once=True, principal_type="Group")
        assert (await revoked(made)).exit_code == 1
        made.pass_(minutes=30)
        assert pulls(made)
        assert TEAM in text(made, "through_group")
        made.azure.directory.grant(made.seeded.operator.app_id, "GroupMember.Read.All")
        await revoked(made)
        assert "Platform team" in text(made, "through_group")

    scene(act)


def test_a_registry_with_repository_permissions_heeds_other_roles() -> None:
    async def act(made: Stage) -> None:
        registry = made.azure.resources.get(made.seeded.registry_id)
        assert registry
        registry.properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
        made.azure.authorization.assign(above(made), made.principal.id, "Reader", at_once=True)
        made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, READER, at_once=True)
        assert pulls(made)
        assert (await revoked(made)).exit_code == 0, made.told()
        assert not pulls(made), "Reader and AcrPull count for nothing here"
        writer = made.azure.authorization.assign(
            above(made), made.principal.id, "Container Registry Repository Writer", at_once=True
        )
        assert (await revoked(made)).exit_code == 1
        assert pulls(made)
        assert "Repository Writer" in text(made, "still_granted")
        made.azure.authorization.delete(writer.id)
        made.pass_(minutes=30)
        assert (await made.with_world(grant)).exit_code == 0
        assert pulls(made)

    scene(act)


def test_a_grant_without_a_record_makes_the_role_that_the_registry_heeds() -> None:
    async def act(made: Stage) -> None:
        registry = made.azure.resources.get(made.seeded.registry_id)
        assert registry
        registry.properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
        assert not pulls(made)
        assert (await made.with_world(grant)).exit_code == 0, made.told()
        assert pulls(made)
        since = len(made.app.served)
        assert (await made.with_world(grant)).exit_code == 0
        assert made.writes(since) == []

    scene(act)


def test_a_lock_keeps_the_role_and_taking_the_credentials_is_the_way_that_remains() -> None:
    async def act(made: Stage) -> None:
        await made.with_world(lambda run: adopt(run, None))
        made.azure.resources.lock(above(made), "CanNotDelete", "keep")
        assert (await revoked(made)).exit_code == 1
        made.pass_(minutes=30)
        assert pulls(made)
        (failed,) = [event for event in made.events if isinstance(event, StepFailed)]
        assert "lock" in failed.happened
        assert "--credentials" in failed.remedy
        assert "it is this policy's own" in text(made, "still_granted")
        assert (await revoked(made, credentials=True)).exit_code == 0, made.told()
        assert not pulls(made)
        assert proven(made)
        assert made.credentials() == []
        assert not any(version.enabled for version in made.versions())
        assert {"locked", "loses_password", "no_password"} <= told(made)
        since = len(made.app.served)
        assert (await revoked(made, credentials=True)).exit_code == 0, made.told()
        assert set(made.writes(since)) <= {"rbac.roleAssignments.delete"}, "the lock is tried again, and nothing else"
        made.azure.resources.unlock(above(made), "keep")
        assert (await revoked(made, credentials=True)).exit_code == 0
        assert roles(made) == set()

    scene(act)


def test_a_foreign_credential_is_named_where_ours_are_taken() -> None:
    async def act(made: Stage) -> None:
        assert (await revoked(made, credentials=True)).exit_code == 0
        assert made.credentials() == [made.by_hand], "not ours to remove"
        assert made.by_hand.key_id in text(made, "foreign")
        assert not pulls(made)

    scene(act)


def test_credentials_are_taken_from_both_homes() -> None:
    async def act(made: Stage) -> None:
        await made.with_world(lambda run: adopt(run, None))
        made.with_policy(principal={"app_id": made.app_id, "home": "service_principal"})
        assert (await made.rotate()).exit_code == 0
        assert [len(home.passwords) for home in (made.application, made.principal)] == [1, 1]
        assert (await revoked(made, credentials=True)).exit_code == 0, made.told()
        assert made.credentials() == []
        assert (await made.rotate()).exit_code == 0
        assert made.credentials() == [], "every later run respects the mark"
        assert (await made.with_world(grant)).exit_code == 0
        assert (await made.rotate()).exit_code == 0, made.told()
        assert pulls(made, secret=made.published())

    scene(act)


def test_the_admin_user_and_tokens_are_named_and_pull_whatever_becomes_of_the_principal() -> None:
    async def act(made: Stage) -> None:
        registry = made.azure.resources.get(made.seeded.registry_id)
        assert registry
        registry.properties["adminUserEnabled"] = True
        access, where = made.azure.resources.access, made.seeded.registry_id
        token = access.put_token(where, "ci", f"{where}/scopeMaps/_repositories_pull")
        password, _ = access.generate(where, "ci")
        assert (await revoked(made)).exit_code == 0, "the principal's own pull is refused, and that is proven"
        assert not pulls(made)
        assert {"admin_user", "registry_token"} <= told(made)
        admin = made.azure.registries.admin_passwords(SERVER)[0]
        assert made.azure.registries.pull(SERVER, "mycontainerregistry", admin, "aci-helloworld", "v1").digest
        assert access.knows(where, "ci", password.value)
        assert access.allows(where, "ci", "content/read", "aci-helloworld")
        registry.properties["adminUserEnabled"], token.status = False, "disabled"
        await revoked(made)
        assert not {"admin_user", "registry_token"} & told(made)

    scene(act)


def test_anonymous_pull_is_access_that_remains() -> None:
    async def act(made: Stage) -> None:
        registry = made.azure.resources.get(made.seeded.registry_id)
        assert registry
        registry.properties["anonymousPullEnabled"] = True
        result = await revoked(made)
        assert (result.exit_code, result.summary) == (1, "ACCESS REMAINS: the registry lets everyone pull")
        assert not proven(made)
        assert made.azure.registries.pull(SERVER, "", "", "aci-helloworld", "v1").digest

    scene(act)


def _another(made: Stage) -> str:
    other = made.seeded.registry_id.replace("mycontainerregistry", "another")
    made.azure.resources.put(other, REGISTRIES, "eastus", {}, sku={"name": "Standard"})
    made.azure.registries.push("another.azurecr.io", "aci-helloworld", "v1")
    made.azure.authorization.assign(other, made.principal.id, "AcrPull", at_once=True)
    made.azure.authorization.assign(other, made.seeded.operator.object_id, "rotator access", at_once=True)
    return other


def test_of_two_registries_both_must_refuse_and_of_two_principals_one_loses_access() -> None:
    async def act(made: Stage) -> None:
        (theirs,) = made.azure.directory.passwords(made.bystander.app_id)
        other = _another(made)
        made.with_policy(registries=[{"id": made.seeded.registry_id}, {"id": other}])
        reader = made.azure.authorization.assign(other, made.principal.id, "Reader", at_once=True)
        assert (await revoked(made)).exit_code == 1
        made.pass_(minutes=30)
        assert [pulls(made), pulls(made, "another.azurecr.io")] == [False, True]
        assert reader.id in [
            event.subject for event in made.events if isinstance(event, Noted) and event.code == "still_granted"
        ]
        made.azure.authorization.delete(reader.id)
        assert (await revoked(made)).exit_code == 0, "which takes until Azure has forgotten the reader"
        assert not pulls(made, "another.azurecr.io")
        assert pulls(made, secret=theirs.secret, app_id=made.bystander.app_id)

    scene(act)


def test_a_refusal_of_one_registry_proves_nothing_of_another() -> None:
    async def act(made: Stage) -> None:
        other = _another(made)
        made.with_policy(registries=[{"id": made.seeded.registry_id}, {"id": other}])
        made.azure.authorization.delete(min(roles(made)))
        made.pass_(hours=2)
        assert (await revoked(made)).exit_code == 1
        assert {pulls(made, "another.azurecr.io"), pulls(made)} == {True, False}
        assert not proven(made)

    scene(act, role_gone=3600)


def test_what_may_not_be_read_is_unknown_and_nothing_is_called_proven() -> None:
    async def act(made: Stage) -> None:
        role = made.azure.authorization.role("rotator access")
        role.permissions[0].actions.remove("Microsoft.ContainerRegistry/registries/tokens/read")
        assert (await revoked(made)).exit_code == 1
        assert "tokens may not be read" in text(made, "unknown")
        assert "cannot be read" in text(made, "not_proven")

    scene(act)


def test_a_principal_that_could_help_itself_is_named() -> None:
    async def act(made: Stage) -> None:
        made.azure.authorization.assign(
            above(made), made.principal.id, "Role Based Access Control Administrator", at_once=True
        )
        role = made.azure.authorization.define("assigns", actions=["Microsoft.Authorization/roleAssignments/write"])
        made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, role.name, at_once=True)
        assert (await revoked(made)).exit_code == 1
        assert "give itself access again" in text(made, "could_regain")

    scene(act)


def test_a_principal_that_is_gone_leaves_nothing_to_revoke() -> None:
    async def act(made: Stage) -> None:
        made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")
        assert (await revoked(made)).exit_code == 1
        made.azure.resources.unlock(made.seeded.registry_id, "keep")
        made.azure.directory.delete(made.application)
        made.pass_(hours=1)
        assert (await revoked(made)).exit_code == 0, made.told()
        assert "no_principal" in told(made)
        assert not pulls(made)
        assert roles(made) == set(), "what it left behind is gone, too"
        since = len(made.app.served)
        assert (await revoked(made)).exit_code == 0
        assert made.writes(since) == []

    scene(act)


def test_a_disabled_password_can_not_be_tried_and_a_disabled_record_is_read_again() -> None:
    async def act(made: Stage) -> None:
        assert (await revoked(made, wait=False)).exit_code == 0
        (version,) = made.versions()
        made.azure.vaults.update("myvault", SECRET, version.id, Changes(enabled=False))
        record = made.policy.access_secret
        (mark,) = made.azure.vaults.versions("myvault", record)
        made.azure.vaults.update("myvault", record, mark.id, Changes(enabled=False))
        assert (await revoked(made)).exit_code == 1
        assert "not proven" in text(made, "not_proven")
        assert (await made.with_world(grant)).exit_code == 0
        assert len(roles(made)) == 1

    scene(act)


def test_rotators_own_identity_is_left_alone() -> None:
    async def act(made: Stage) -> None:
        made.with_policy(principal={"app_id": made.seeded.operator.app_id})
        since = len(made.app.served)
        assert (await revoked(made)).exit_code == 3
        assert made.writes(since) == []

    scene(act)


def test_a_value_that_does_not_sign_in_shows_nothing_of_other_passwords() -> None:
    async def act(made: Stage) -> None:
        made.azure.vaults.set("myvault", SECRET, "not the password")
        assert (await revoked(made)).exit_code == 1
        assert "does not sign in" in text(made, "not_proven")
        assert made.by_hand.key_id in text(made, "not_proven")

    scene(act)


@kept
async def _adopted_at_once(loop: VirtualLoop) -> Stage:
    made = stage(loop, groups=("app",), timing=lagging(role_gone=0.0, secret_gone=0.0, graph_read=0.0))
    await made.with_world(lambda run: adopt(run, None))
    return made


@cache
def _deaths(credentials: bool) -> Sequence[Call]:
    """Return the calls of a revocation without faults."""

    async def scene(loop: VirtualLoop) -> Sequence[Call]:
        made = await _adopted_at_once(loop)
        since = len(made.app.served)
        await revoked(made, credentials=credentials)
        return calls(made.app.served[since:])

    return play(scene)


@pytest.mark.parametrize(
    ("credentials", "every"),
    [
        cell(credentials, every, name=f"{credentials}-{every}", soak=every or not credentials)
        for credentials in (False, True)
        for every in (False, True)
    ],
)
def test_killed_at_any_call_a_revocation_is_finished_by_the_next(credentials: bool, every: bool) -> None:
    """Death comes at every write, and at the first call of each operation; with `make soak` at every call, and where
    credentials stay.
    """
    deaths = _deaths(credentials)
    for index in range(len(deaths)) if every else sorted(sampled(deaths)):

        async def act(loop: VirtualLoop, index: int = index) -> None:
            made = await _adopted_at_once(loop)
            first = len(made.app.served)

            def kill(number: int, named: str, request: object) -> None:
                if number == first + index + 1:
                    raise Killed

            with watched(made, before=kill):
                assert await made.dies(revoked(made, credentials=credentials)), f"call {index} was not reached"
            made.pass_(minutes=1)
            assert (await revoked(made, credentials=credentials)).exit_code == 0, made.told()[-2000:]
            assert (roles(made), pulls(made), made.credentials()) == (
                set(),
                False,
                [] if credentials else [made.by_hand],
            )
            assert (await made.with_world(grant)).exit_code == 0
            assert len(roles(made)) == 1, "what the dead run deleted was recorded before"

        play(act)
