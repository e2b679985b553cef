"""Tests of the proof that access has ended, try by try: counts, pauses, and a second reading if the first shows no
sign-in.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest

from rotator.codes import NoteCode
from rotator.engine import Run
from rotator.engine.evidence import AGREEING, EVERY, PATIENCE, Left, acceptance, gather, try_out, unknown_to_entra
from rotator.errors import Forbidden, NotFound
from rotator.events import Noted, Pausing, PullRefused
from rotator.plan import Ending, Shown
from rotator.plan.revocation_end import IN_A_ROW
from rotator.ports import World
from rotator.resource_id import ArmId
from rotator.state import Assignment, Outcome, Permission, Proof, RegistryAccess, Role, Secret, SignIns
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import Scene, scene
from tests.worlds import IMAGE

YES = Proof(Outcome.PROVEN, signed_in=True)
NO, NO_PULL = Proof(Outcome.REFUSED, "No."), Proof(Outcome.NO_PULL, "No role.", signed_in=True)
NOBODY, SILENT = Proof(Outcome.DISABLED, nobody=True), Proof(Outcome.UNREACHABLE, "No answer.", registry_reached=False)
LEFT = Left(Secret("a password"))
SEEN = worlds.observed(
    {"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a"}], "groups": [{"id": "app", "holds": "a"}]}
)
PULL = Role(
    "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPull",
    (Permission(actions=("Microsoft.ContainerRegistry/registries/pull/read",)),),
)
SHUT = RegistryAccess(SEEN.registries[0])
OPEN = replace(
    SHUT, assignments=(Assignment(worlds.REGISTRY, PULL.id, ArmId(f"{worlds.REGISTRY}/x"), "sp-object"),), roles=(PULL,)
)
SIGNS_IN, NONE = SignIns(SEEN.credentials), SignIns()


class Tried(Answering):
    """`Answering` that records the time of each try."""

    run: Run
    at: list[float]
    read: list[float]
    """Times of the reads of sign-ins."""

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.at)]

    async def sign_ins(self, *args: Any) -> SignIns:
        self.read.append(self.run.clock.elapsed())
        return cast("SignIns", await self.__getattr__("sign_ins")(*args))

    async def prove(self, *args: Any) -> Proof:
        self.at.append(self.run.clock.elapsed())
        return cast("Proof", await self.__getattr__("prove")(*args))


def asked(act: Callable[[Run, Tried, Scene], Awaitable[None]], **answers: Any) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "registry_access": (SHUT,),
            "sign_ins": NONE,
            "value": Secret("a password"),
            "prove": NO,
        }
        told = Tried(at.run.world, **given | answers)
        run = replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}))
        told.run, told.at, told.read = run, [], []
        await act(run, told, at)

    scene(main)


ROWS: dict[str, tuple[list[Proof], bool, Shown, int, bool]] = {
    "refused": ([NO], False, Shown.PASSWORD, IN_A_ROW, True),
    "refused, others sign in": ([NO], True, Shown.PASSWORD, IN_A_ROW, False),
    "no role, others sign in": ([NO_PULL], True, Shown.ROLE, IN_A_ROW, True),
    "a success in between": ([NO_PULL, YES, NO_PULL], True, Shown.ROLE, 2 + IN_A_ROW, True),
    "another refusal": ([NO_PULL, NO_PULL, NOBODY], True, Shown.PRINCIPAL, 2 + IN_A_ROW, True),
}


@pytest.mark.parametrize("which", ROWS)
def test_a_pull_is_tried_until_it_is_refused_in_one_way_several_times_in_a_row(which: str) -> None:
    proofs, others, found, tries, proves = ROWS[which]

    async def act(run: Run, told: Tried, at: Scene) -> None:
        tried = await try_out(run, LEFT, (IMAGE,), others=others)
        assert (tried.shown, tried.why) == (found, "")
        assert told.asked[0] == ("prove", (LEFT.value, (IMAGE,)))
        assert told.pauses == [EVERY] * (tries - 1)
        assert [event.after for event in at.told(PullRefused)] == ([EVERY * (tries - 1)] if proves else [])
        assert run.clock.elapsed() == told.at[-1]

    asked(act, prove=proofs)


def test_a_pull_that_is_never_refused_is_tried_for_a_quarter_of_an_hour() -> None:
    async def act(run: Run, told: Tried, at: Scene) -> None:
        tried = await try_out(run, LEFT, (), others=False)
        assert tried.shown is Shown.NOTHING
        assert tried.why.startswith("after 15 minutes a pull still isn't refused (unreachable No answer.)")
        assert told.at[-1] - told.at[0] == PATIENCE == run.clock.elapsed() - told.at[0]
        assert len(at.told(Pausing)) == 1

    asked(act, prove=SILENT)


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: try_out(run, Left(None, "Why."), (), others=False),
        lambda run: unknown_to_entra(run, Left(None, "Why.")),
    ],
)
def test_without_a_value_nothing_is_tried(ask: Callable[[Run], Awaitable[Any]]) -> None:
    async def act(run: Run, told: Tried, at: Scene) -> None:
        tried = await ask(run)
        assert (tried.shown, tried.why, told.asked) == (Shown.UNTRIED, "Why.", [])

    asked(act)


UNKNOWN: dict[str, tuple[list[Proof], Shown, int, str]] = {
    "always": ([NOBODY], Shown.PRINCIPAL, IN_A_ROW, ""),
    "a password that is refused": (
        [NOBODY, NO],
        Shown.PASSWORD,
        2,
        "the try of the published value shows no refusal of the principal itself (refused No.)",
    ),
    "a pull": ([YES], Shown.NOTHING, 1, "the published value pulls"),
}


@pytest.mark.parametrize("which", UNKNOWN)
def test_a_principal_that_is_not_found_is_unknown_to_entra_where_every_try_says_so(which: str) -> None:
    proofs, found, tries, why = UNKNOWN[which]

    async def act(run: Run, told: Tried, at: Scene) -> None:
        tried = await unknown_to_entra(run, LEFT)
        assert (tried.shown, tried.why) == (found, why)
        assert told.pauses == [EVERY] * (tries - 1)
        assert run.clock.elapsed() == told.at[-1]

    asked(act, prove=proofs)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (Secret("a password"), LEFT),
        (NotFound("It is gone.", service="keyvault"), Left(None, "It is gone.")),
        (Forbidden("No.", service="keyvault"), Left(None, "No.")),
    ],
)
def test_the_value_to_try_is_read_or_the_reason_why_not(value: Any, left: Left) -> None:
    async def act(run: Run, told: Tried, at: Scene) -> None:
        found = await Left.before(run)
        assert (found.value and found.value.reveal(), found.why) == (left.value and left.value.reveal(), left.why)

    asked(act, value=value)


ENDS: dict[str, tuple[dict[str, Any], bool, Ending, int, int, set[str]]] = {
    "a role that stays": (
        {"registry_access": (OPEN,), "sign_ins": SIGNS_IN},
        True,
        Ending.REMAINS,
        0,
        1,
        {"residue", "still_granted", "not_proven"},
    ),
    "refused": ({"sign_ins": SIGNS_IN, "prove": NO_PULL}, True, Ending.GONE, IN_A_ROW, 1, {"residue"}),
    "nothing signs in": ({}, True, Ending.NOBODY, IN_A_ROW, 2, {"residue", "no_password"}),
    "nothing signs in at first": (
        {"sign_ins": [NONE, SIGNS_IN], "registry_access": [(SHUT,), (OPEN,)]},
        True,
        Ending.REMAINS,
        IN_A_ROW,
        2,
        {"residue", "no_password", "still_granted", "not_proven"},
    ),
    "another password at the second reading": (
        {"sign_ins": [NONE, SIGNS_IN]},
        True,
        Ending.UNPROVEN,
        IN_A_ROW,
        2,
        {"residue", "no_password", "not_proven"},
    ),
    "without a wait": ({"sign_ins": SIGNS_IN}, False, Ending.UNPROVEN, 0, 1, {"residue", "not_proven"}),
}


@pytest.mark.parametrize("which", ENDS)
def test_the_end_of_access_rests_on_what_is_read_and_on_what_is_refused(which: str) -> None:
    answers, wait, ends, tries, readings, codes = ENDS[which]

    async def act(run: Run, told: Tried, at: Scene) -> None:
        begun = run.clock.elapsed()
        assert await gather(run, SEEN, LEFT, wait=wait) is ends
        assert (len(told.at), len(told.read)) == (tries, readings)
        assert told.read[-1] - told.read[0] == (AGREEING if readings == 2 else 0)
        assert {event.code for event in at.told(Noted)} == codes
        assert run.clock.elapsed() - begun == (AGREEING if readings == 2 else EVERY * max(tries - 1, 0))
        assert ("prove", (LEFT.value, (IMAGE,))) in told.asked or not tries

    asked(act, **answers)


def test_only_registries_that_answer_are_asked_for_a_proof() -> None:
    async def act(run: Run, told: Tried, at: Scene) -> None:
        fewer = replace(run, policy=worlds.policy({"groups": []}))
        heard: list[Any] = []

        async def prove(policy: Any, *args: Any) -> Proof:
            heard.append(policy)
            return NO_PULL

        told.prove = prove  # type: ignore[method-assign]
        await gather(run, SEEN, LEFT, wait=True, proving=fewer)
        assert heard == [fewer.policy] * IN_A_ROW

    asked(act, sign_ins=SIGNS_IN)


def test_a_second_reading_comes_at_once_where_the_tries_took_long_enough() -> None:
    async def act(run: Run, told: Tried, at: Scene) -> None:
        assert await gather(run, SEEN, LEFT, wait=True) is Ending.NOBODY
        assert run.clock.elapsed() == told.at[-1]
        assert told.at[-1] - told.at[0] == EVERY * 8 == AGREEING
        assert len(at.told(Pausing)) == 1

    asked(act, prove=[*[SILENT] * 6, NO])


ACCEPTED: dict[str, tuple[dict[str, Any], int, float, list[bool]]] = {
    "at once": ({"prove": YES}, 1, 0, []),
    "at last": ({"prove": [NO_PULL, NO_PULL, YES]}, 3, 2 * EVERY, []),
    "never": ({"prove": NO_PULL}, int(PATIENCE / EVERY) + 1, PATIENCE, [True]),
    "a network that denies rotator": ({"prove": SILENT}, IN_A_ROW, (IN_A_ROW - 1) * EVERY, [True]),
    "a network that comes back": ({"prove": [SILENT, SILENT, NO_PULL, SILENT, YES]}, 5, 4 * EVERY, []),
    "a refused password": ({"prove": NO}, 1, 0, [True]),
    "a principal that may not sign in": ({"prove": NOBODY}, 1, 0, [True]),
    "no value": ({"value": NotFound("It is gone.", service="keyvault")}, 0, 0, []),
    "a value that may not be read": ({"value": Forbidden("No.", service="keyvault")}, 0, 0, [True]),
    "a disabled value": ({"value": Forbidden("No.", service="keyvault", code="SecretDisabled")}, 0, 0, [False]),
}


@pytest.mark.parametrize("which", ACCEPTED)
def test_a_grant_is_seen_to_let_a_pull_succeed(which: str) -> None:
    answers, tries, seconds, warned = ACCEPTED[which]

    async def act(run: Run, told: Tried, at: Scene) -> None:
        begun = run.clock.elapsed()
        await acceptance(run, SEEN)
        assert (len(told.at), run.clock.elapsed() - begun) == (tries, seconds)
        assert [(event.code, event.warn) for event in at.told(Noted)] == [
            (NoteCode.NOT_PROVEN, warn) for warn in warned
        ]
        assert any("`rotator rotate " in event.text for event in at.told(Noted)) is (which == "a disabled value")
        assert ("prove", (Secret("a password"), (IMAGE,))) in told.asked or not tries

    asked(act, **answers)
