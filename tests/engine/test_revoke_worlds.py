"""Tests of every world that makes a revocation difficult: the report agrees with the registry's answers, to a group on
a new host and to any client.

Each world is a principal that may pull, with other access to the registry of its own or of others. In each, a second
revocation writes nothing new, and no later run of the timer restores access.
"""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from local_azure.arm.behaviour import Resource
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import adopt, revoke
from rotator.events import Noted, PullRefused
from rotator.results import Result
from tests.cells import cell
from tests.stage import SERVER, Stage, lagging, play, stage

IMAGE, OTHER = "aci-helloworld", "another.azurecr.io"
TEAM = "11111111-2222-4333-8444-555555555555"
GONE, REMAINS = "access is gone: every pull is refused", "ACCESS REMAINS: the principal can still pull"
MANIFEST = {
    "Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
}
LOCK_TRIED = frozenset({"rbac.roleAssignments.delete"})

User = tuple[str, str]
Strangers = list[User]
"""Other users of the registry, by name and password: a revocation reports them, and leaves them alone."""


@dataclass(frozen=True)
class World:
    """World beside the principal's role assignment, with the expected report."""

    make: Callable[[Stage], Strangers]
    verdict: str = GONE
    codes: str = ""
    refusing: tuple[str, ...] = (SERVER,)
    pulling: tuple[str, ...] = ()
    retried: frozenset[str] = frozenset()


def _above(made: Stage) -> str:
    return made.seeded.registry_id.split("/providers/")[0]


def _registry(made: Stage) -> Resource:
    found = made.azure.resources.get(made.seeded.registry_id)
    assert found
    return found


def _assign(made: Stage, scope: str, role: str, whom: str = "") -> None:
    made.azure.authorization.assign(
        scope, whom or made.principal.id, role, at_once=True, principal_type="Group" if whom else "ServicePrincipal"
    )


def plain(made: Stage) -> Strangers:
    return []


def reader(made: Stage) -> Strangers:
    _assign(made, _above(made), "Reader")
    return []


def member(made: Stage) -> Strangers:
    made.azure.directory.join(TEAM, made.principal.id, "Platform team")
    _assign(made, _above(made), "AcrPull", TEAM)
    return []


def repositories(made: Stage) -> Strangers:
    _registry(made).properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
    _assign(made, _above(made), "Reader")
    neighbours = made.azure.directory.principal(made.bystander.app_id)
    assert neighbours
    for whom in (made.principal, neighbours):
        made.azure.authorization.assign(
            made.seeded.registry_id, whom.id, "Container Registry Repository Reader", at_once=True
        )
    return []


def repositories_above(made: Stage) -> Strangers:
    _assign(made, _above(made), "Container Registry Repository Reader")
    return repositories(made)


def locked(made: Stage) -> Strangers:
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")
    return []


def admin(made: Stage) -> Strangers:
    _registry(made).properties["adminUserEnabled"] = True
    return [("mycontainerregistry", made.azure.registries.admin_passwords(SERVER)[0])]


def anonymous(made: Stage) -> Strangers:
    _registry(made).properties["anonymousPullEnabled"] = True
    return [("", "")]


def token(made: Stage) -> Strangers:
    access, where = made.azure.resources.access, made.seeded.registry_id
    access.put_token(where, "ci", f"{where}/scopeMaps/_repositories_pull")
    return [("ci", access.generate(where, "ci")[0].value)]


def two_registries(made: Stage) -> Strangers:
    other = made.seeded.registry_id.replace("mycontainerregistry", "another")
    made.azure.resources.put(other, "Microsoft.ContainerRegistry/registries", "eastus", {}, sku={"name": "Standard"})
    made.azure.registries.push(OTHER, IMAGE, "v1")
    _assign(made, other, "AcrPull")
    made.azure.authorization.assign(other, made.seeded.operator.object_id, "rotator access", at_once=True)
    made.with_policy(registries=[{"id": made.seeded.registry_id}, {"id": other}])
    return []


def one_of_two(made: Stage) -> Strangers:
    two_registries(made)
    _assign(made, made.seeded.registry_id.replace("mycontainerregistry", "another"), "AcrPush")
    return []


def neighbour(made: Stage) -> Strangers:
    """Put the principal and the bystander into a directory group with a role on another registry.

    The bystander is on the principal's registry in every world.
    """
    neighbours = made.azure.directory.principal(made.bystander.app_id)
    assert neighbours
    for whom in (made.principal, neighbours):
        made.azure.directory.join(TEAM, whom.id, "Platform team")
    _assign(made, made.seeded.registry_id.replace("mycontainerregistry", "elsewhere"), "AcrPull", TEAM)
    return []


WORLDS = {
    "AcrPull only": World(plain),
    "an inherited Reader": World(reader, REMAINS, "still_granted", (), (SERVER,)),
    "membership in a group": World(member, REMAINS, "through_group", (), (SERVER,)),
    "a registry with repository permissions": World(repositories),
    "repository permissions from above": World(repositories_above, REMAINS, "still_granted", (), (SERVER,)),
    "a CanNotDelete lock": World(locked, REMAINS, "still_granted", (), (SERVER,), LOCK_TRIED),
    "a registry with an admin user": World(admin, GONE, "admin_user"),
    "anonymous pull": World(anonymous, "ACCESS REMAINS: the registry lets everyone pull", "anonymous_pull"),
    "a repository-scoped token": World(token, GONE, "registry_token"),
    "two registries": World(two_registries, GONE, "", (SERVER, OTHER)),
    "two registries, one with another role": World(one_of_two, REMAINS, "still_granted", (SERVER,), (OTHER,)),
    "two principals on one registry": World(neighbour),
}
ASIDE = {"residue", "not_proven"}
"""Codes of notes that hold for every revocation, or that only report a missing proof."""


def _manifest(made: Stage, server: str, user: User) -> Iterator[int]:
    """Yield the statuses of direct requests for the image: with Basic, then with the registry's own token."""
    url = f"https://{server}/v2/{IMAGE}/manifests/v1"
    basic = {"Authorization": "Basic " + b64encode(":".join(user).encode()).decode()} if user != ("", "") else {}
    yield made.app.handle(Request.parse("GET", url, basic | MANIFEST)).status
    asked = f"https://{server}/oauth2/token?service={server}&scope=repository:{IMAGE}:pull"
    answer = made.app.handle(Request.parse("GET", asked, basic))
    if answer.status != 200:
        yield answer.status
        return
    bearer = {"Authorization": f"Bearer {json.loads(answer.body)['access_token']}"}
    yield made.app.handle(Request.parse("GET", url, bearer | MANIFEST)).status


def serves(made: Stage, server: str, user: User) -> bool:
    """Tell if the registry serves the image to a user; both ways of asking must agree."""
    answers = [status == 200 for status in _manifest(made, server, user)]
    assert len(set(answers)) == 1, "Basic and the registry's own token differ"
    return answers[0]


def moves(made: Stage, name: str = "app") -> bool:
    return made.azure.container_groups.move_host(made.group_id(name))


async def revoked(made: Stage) -> Result:
    made.events.clear()
    return await made.with_world(revoke)


def told(made: Stage) -> set[str]:
    return {event.code.value for event in made.events if isinstance(event, Noted)} - ASIDE


def agrees(made: Stage, world: World, result: Result, strangers: Strangers) -> None:
    """Compare the report with the registry: the access of the principal, of others, and of the bystander."""
    ours, (theirs,) = (made.app_id, made.published()), made.azure.directory.passwords(made.bystander.app_id)
    assert (result.summary, result.exit_code) == (world.verdict, int(world.verdict.startswith("ACCESS")))
    assert told(made) == set(world.codes.split())
    assert any(isinstance(event, PullRefused) for event in made.events) is (world.verdict == GONE)
    assert [serves(made, server, ours) for server in world.refusing] == [False] * len(world.refusing)
    assert [serves(made, server, ours) for server in world.pulling] == [True] * len(world.pulling)
    assert moves(made) is (SERVER in world.pulling)
    assert all(serves(made, SERVER, user) for user in strangers)
    assert serves(made, SERVER, (made.bystander.app_id, theirs.secret))
    assert moves(made, "bystander")


async def _adopted(made: Stage) -> None:
    """Adopt the principal's password, so that a run of the timer would renew it."""
    await made.with_world(lambda run: adopt(run, None))
    made.pass_(minutes=10)


def scene(act: Callable[[Stage], Awaitable[None]]) -> None:
    async def begin(loop: VirtualLoop) -> None:
        made = stage(loop, groups=("app",), timing=lagging())
        await _adopted(made)
        await act(made)

    play(begin)


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "world", [cell(world, name=name, soak=at % 2 > 0) for at, (name, world) in enumerate(WORLDS.items())]
)
def test_the_report_is_what_a_host_and_the_registry_do_and_every_later_run_leaves_it_so(world: World) -> None:
    async def act(made: Stage) -> None:
        strangers = world.make(made)
        assert serves(made, SERVER, (made.app_id, made.published())), "the world is wrong: it pulls before"
        first = await revoked(made)
        made.pass_(minutes=30)
        agrees(made, world, first, strangers)

        since = len(made.app.served)
        again = await revoked(made)
        assert set(made.writes(since)) == world.retried, "nothing but the deletion that the lock refuses again"
        agrees(made, world, again, strangers)

        made.pass_(days=340)
        since = len(made.app.served)
        made.events.clear()
        run = await made.rotate()
        assert (run.exit_code, made.writes(since)) == (0, []), made.told()
        assert "revoked" in made.told()
        assert [serves(made, server, (made.app_id, made.published())) for server in world.refusing] == [False] * len(
            world.refusing
        )

    scene(act)


def test_the_same_run_would_rotate_if_nothing_were_revoked() -> None:
    async def act(made: Stage) -> None:
        made.pass_(days=340)
        since = len(made.app.served)
        assert (await made.rotate()).exit_code == 0, made.told()
        assert {"graph.applications.addPassword", "aci.containerGroups.createOrUpdate"} <= set(made.writes(since)), (
            made.writes(since)
        )

    scene(act)


def test_where_a_lock_keeps_the_role_taking_the_credentials_refuses_a_host_and_every_later_run() -> None:
    async def act(made: Stage) -> None:
        locked(made)
        ours = (made.app_id, made.published())
        result = await made.with_world(lambda run: revoke(run, wait=True, credentials=True))
        assert (result.summary, result.exit_code) == (
            "access is gone: no password, certificate or other means signs in as the principal",
            0,
        )
        assert not serves(made, SERVER, ours)
        assert not moves(made)
        since = len(made.app.served)
        assert (await made.with_world(lambda run: revoke(run, wait=True, credentials=True))).exit_code == 0
        assert set(made.writes(since)) == LOCK_TRIED
        made.pass_(days=340)
        since = len(made.app.served)
        assert ((await made.rotate()).exit_code, made.writes(since)) == (0, [])

    scene(act)
