"""Tests of questions by read-only commands, and about new images: the requests, and the meaning of each answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from rotator.cloud import CLOUDS
from rotator.discovery import Listed
from rotator.engine import Run
from rotator.engine.discover import AT_ONCE, see
from rotator.engine.examination import examine
from rotator.engine.image import ensure_served
from rotator.errors import Forbidden, RotatorError, UnsafeStep
from rotator.ports import World
from rotator.preflight import Examined, RegistrySeen, Right, Unknown, Why
from rotator.state import ContainerGroup, Outcome, Proof, Registry, Secret
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import Scene, scene
from tests.worlds import IMAGE, JOIN, REGISTRY, SUB, TODAY, group_id, subnet_id

PROVEN, NO = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.REFUSED, "No.")
SHOWN = RegistrySeen(REGISTRY, Registry(REGISTRY, "x.azurecr.io"))
NOT = Unknown(Why.REFUSED, "No.")
USED: dict[str, Any] = {"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a"}]}
SEEN = worlds.observed({**USED, "groups": [{"id": "app", "holds": "a", "subnet": "x"}]})
HERE = Examined(NOT, SEEN, registries=(SHOWN,))


def asking(act: Callable[[Run, Answering], Awaitable[None]], policy: Any = None, **answers: Any) -> None:
    async def main(at: Scene) -> None:
        told = Answering(at.run.world, **{"rights": (), "value": Secret("a password"), "prove": PROVEN} | answers)
        await act(replace(at.run, world=cast("World", told), policy=policy or worlds.policy({"groups": ["app"]})), told)

    scene(main)


TRIED: dict[str, tuple[Examined, bool]] = {
    "all is seen": (HERE, True),
    "nothing is seen": (replace(HERE, observed=None), False),
    "the principal isn't": (replace(HERE, principal=NOT), False),
    "the vault isn't": (replace(HERE, vault_silent=NOT), False),
    "a registry isn't": (replace(HERE, registries=(SHOWN, RegistrySeen(REGISTRY, NOT))), False),
    "nothing is published": (replace(HERE, observed=replace(SEEN, versions=())), False),
}


@pytest.mark.parametrize("which", TRIED)
def test_a_check_tries_the_current_value_where_an_answer_would_show_something(which: str) -> None:
    found, tried = TRIED[which]

    async def act(run: Run, told: Answering) -> None:
        examined = await examine(run)
        assert (examined.known.proof == PROVEN) == tried
        assert ("prove" in told.questions) == tried
        assert ("rights" in told.questions) == (found.observed is not None)

    asking(act, examine=found)


def test_a_check_asks_for_the_permissions_on_what_groups_and_manifests_link_to() -> None:
    subnets = {"subnetIds": [{"id": subnet_id("y")}]}
    groups = [
        "app",
        {"id": "new", "manifest": subnets},
        {"id": "here", "manifest": {"subnetIds": [{"id": subnet_id("z")}]}},
    ]
    case = {
        **USED,
        "groups": [
            {"id": "app", "holds": "a", "subnet": "x"},
            {"id": "new", "state": "absent"},
            {"id": "here", "username": "somebody-else"},
        ],
    }
    known = Right("read", REGISTRY, allowed=True)
    asked = tuple(Right(JOIN, subnet_id(name), allowed=True) for name in "xy")

    async def act(run: Run, told: Answering) -> None:
        examined = await examine(run)
        (about,) = (args for name, args in told.asked if name == "rights")
        assert about == (((JOIN, subnet_id("x")), (JOIN, subnet_id("y"))),)
        assert examined.rights == (known, *asked)

    found = replace(HERE, observed=worlds.observed(case), rights=(known,))
    asking(act, worlds.policy({"groups": groups}), examine=found, rights=asked)


# lists

OTHERS = Forbidden("No.", service="arm")
GROUP = worlds.document({"id": "app", "holds": "a"})


async def listed(run: Run, *wanted: str, policies: int = 0, registries: bool = False) -> Any:
    declared = [worlds.policy({"groups": ["app"]})] * policies
    return await see(run.world, CLOUDS["public"], declared, wanted, registries=registries)


@pytest.mark.parametrize(
    ("wanted", "policies", "found", "asked"),
    [
        (("b", "a", "b"), 1, ["a", "b"], False),
        ((), 2, [SUB], False),
        ((), 0, ["c", "d"], True),
    ],
)
def test_the_subscriptions_that_are_listed_are_named_or_the_policies_or_all(
    wanted: tuple[str, ...], policies: int, found: list[str], *, asked: bool
) -> None:
    async def act(run: Run, told: Answering) -> None:
        seen = await listed(run, *wanted, policies=policies)
        assert [each.subscription for each in seen.listed] == found
        assert ("subscriptions" in told.questions) == asked
        assert "registries_of" not in told.questions

    asking(act, subscriptions=("c", "d"), groups_of=(), principals={})


def test_without_a_subscription_nothing_can_be_listed() -> None:
    async def act(run: Run, told: Answering) -> None:
        with pytest.raises(RotatorError, match="can list no subscription"):
            await listed(run)

    asking(act, subscriptions=())


def test_what_cannot_be_listed_is_part_of_the_result() -> None:
    names = [f"{nth:02}" for nth in range(AT_ONCE + 1)]

    async def act(run: Run, told: Answering) -> None:
        seen = await listed(run, *names, registries=True)
        assert seen.listed[0] == Listed("00", (GROUP,))
        assert [(each.subscription, each.groups, str(each.unread)) for each in seen.listed[1:]] == [
            (name, (), str(OTHERS)) for name in names[1:]
        ]
        assert (seen.names, str(seen.nameless)) == ({}, str(OTHERS))
        assert seen.registries == {"x.azurecr.io": SHOWN.shown}
        assert dict(told.asked)["principals"] == ((worlds.APP_ID,),)

    asking(act, groups_of=[(GROUP,), OTHERS], principals=OTHERS, registries_of=[(SHOWN.shown,), OTHERS])


def test_principals_have_their_names() -> None:
    async def act(run: Run, told: Answering) -> None:
        seen = await listed(run, "a")
        assert (seen.names, seen.nameless, seen.registries) == ({worlds.APP_ID: "puller"}, None, {})

    asking(act, groups_of=(GROUP,), principals={worlds.APP_ID: "puller"})


# new images

NEW = f"{IMAGE}2"
HELD = ContainerGroup(group_id("app"), TODAY, GROUP)
REFUSALS: dict[str, tuple[ContainerGroup, Proof, str]] = {
    "no group": (replace(HELD, document=None), PROVEN, "does not exist, so its image can't be changed"),
    "no image": (HELD, Proof(Outcome.PROVEN, missing=(NEW,), signed_in=True), f"the registry doesn't have {NEW}"),
    "no role": (HELD, NO, "doesn't serve .* for the current credential: refused No"),
}


@pytest.mark.parametrize("which", REFUSALS)
def test_a_new_image_that_the_registry_does_not_serve_is_refused(which: str) -> None:
    seen, proof, words = REFUSALS[which]

    async def act(run: Run, told: Answering) -> None:
        with pytest.raises(UnsafeStep, match=words):
            await ensure_served(run, seen, SEEN.versions[0], {"app": NEW})

    asking(act, prove=proof)


def test_only_an_image_that_the_group_pulls_with_the_password_is_tried() -> None:
    async def act(run: Run, told: Answering) -> None:
        await ensure_served(run, HELD, SEEN.versions[0], {"app": NEW})
        assert told.asked[0] == ("value", ("v1",))
        assert told.asked[1][1][1] == (NEW,)
        told.asked.clear()
        await ensure_served(run, HELD, SEEN.versions[0], {"app": "mcr.microsoft.com/x:1"})
        assert told.asked == []

    asking(act)
