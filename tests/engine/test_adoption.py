"""Tests of adoption and declaration, question by question: the values tried and the number of tries, and the order of
reads.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest

from rotator.codes import NoteCode
from rotator.engine import Run, adopt, compromise
from rotator.engine.adoption import MOST_VALUES, _values
from rotator.engine.trial import PAUSE, TRIES
from rotator.errors import Forbidden, NotFound, Unavailable, UnsafeStep
from rotator.events import Noted
from rotator.plan import Value
from rotator.ports import AccessRecord, World
from rotator.state import Access, Observed, Outcome, Proof, Secret
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import Scene, scene
from tests.worlds import TODAY, key

YES, NO = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.REFUSED)
B = {"key": "b", "of": "somebody", "hint": "bbb"}
BY_HAND = {"id": "v1"}
FIRST = worlds.observed({"credentials": [B], "versions": [BY_HAND]})
ADOPTED = worlds.observed({"credentials": [B], "versions": [{**BY_HAND, "adopted": ["b"]}]})
VALUE = Secret("bbb a password")


def asking(act: Callable[[Run, Answering, Scene], Awaitable[None]], seen: Observed = FIRST, **answers: Any) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "access": AccessRecord(Access.UNMARKED, TODAY),
            "observe_again": (0.0, seen),
            "versions": seen.versions,
            "version": seen.versions[0],
            "value": VALUE,
            "prove": YES,
            "mark_version": None,
        }
        told = Answering(at.run.world, **given | answers)
        await act(replace(at.run, world=cast("World", told), policy=worlds.policy({})), told, at)

    scene(main)


def test_an_adoption_reads_the_versions_after_the_credentials_and_is_written_once() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        adoption = await adopt(run, None)
        assert adoption.key_ids == (key("b"),)
        assert told.questions == [
            *("access", "observe_again", "value", "prove", "versions"),
            *("versions", "version", "mark_version", "versions"),
        ]

    asking(act, versions=[FIRST.versions, FIRST.versions, ADOPTED.versions])


def test_an_earlier_adoption_is_not_written_again() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        assert (await adopt(run, key("b"))).already
        assert told.questions[-1] == "versions"
        assert told.questions.count("versions") == 1

    asking(act, ADOPTED)


def test_nothing_is_adopted_or_looked_at_while_access_is_revoked() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match="access was revoked"):
            await adopt(run, None)
        assert told.questions == ["access"]

    asking(act, access=AccessRecord(Access.REVOKED, TODAY))


TRIED: dict[str, tuple[dict[str, Any], Value, int]] = {
    "it works": ({}, Value("bbb"), 1),
    "it works at last": ({"prove": [NO, NO, YES]}, Value("bbb"), TRIES),
    "it doesn't work": ({"prove": NO}, Value("bbb", False), TRIES),
    "another password's": ({"value": Secret("zzz"), "prove": NO}, Value("zzz", False), 1),
    "with a line end": (
        {"value": Secret("zzz\n"), "prove": [NO, YES]},
        Value("zzz", False, "white space or a line end"),
        2,
    ),
    "it is gone": ({"value": NotFound("It is gone.", service="keyvault")}, Value("", False, unread="It is gone."), 0),
    "it may not be read": ({"value": Forbidden("No.", service="keyvault")}, Value("", False, unread="No."), 0),
}


@pytest.mark.parametrize("which", TRIED)
def test_a_value_is_tried_as_often_as_it_is_likely(which: str) -> None:
    answers, found, tries = TRIED[which]

    async def act(run: Run, told: Answering, at: Scene) -> None:
        when: list[float] = []

        async def prove(*args: Any) -> Proof:
            when.append(run.clock.elapsed())
            return cast("Proof", await told.__getattr__("prove")(*args))

        told.prove = prove  # type: ignore[attr-defined]
        assert await _values(run, FIRST) == {"v1": found}
        assert len(when) == tries
        pauses = [later - earlier for earlier, later in pairwise(when)]
        assert pauses == [0 if found.around else PAUSE] * max(tries - 1, 0)
        assert not when or run.clock.elapsed() == when[-1]

    asking(act, **answers)


def test_an_ended_password_makes_no_value_likely() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        assert await _values(run, worlds.observed({"credentials": [{**B, "end": "-1d"}], "versions": [BY_HAND]})) == {
            "v1": Value("bbb", False)
        }
        assert told.questions.count("prove") == 1

    asking(act, prove=NO)


def test_only_values_of_others_are_read_the_newest_ones() -> None:
    theirs = [{"id": f"t{nth:02}", "created": f"-{50 - nth}d"} for nth in range(MOST_VALUES + 2)]
    ours = {"id": "ours", "holds": "a", "created": "-2d"}
    disabled = {"id": "disabled", "created": "-1d", "enabled": False}
    case = {"credentials": [{"key": "a"}, B], "versions": [*theirs, ours, disabled]}

    async def act(run: Run, told: Answering, at: Scene) -> None:
        found = await _values(run, worlds.observed(case))
        assert list(found) == [f"t{nth:02}" for nth in range(2, MOST_VALUES + 2)]

    asking(act)


USED = worlds.observed({"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a"}]})
DECLARED = worlds.observed(
    {"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a", "compromised": ["a"]}]}
)
BROKEN = Unavailable("No answer.", service="keyvault")


def test_a_declaration_is_written() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        assert await compromise(run, []) == (key("a"),)
        assert "mark_version" in told.questions
        assert not at.told(Noted)

    asking(act, USED, versions=[USED.versions, DECLARED.versions])


@pytest.mark.parametrize("stands", [True, False])
def test_a_declaration_that_fails_counts_where_it_stands_on_one_version(*, stands: bool) -> None:
    answers = [USED.versions] * 9 + [(DECLARED if stands else USED).versions]

    async def act(run: Run, told: Answering, at: Scene) -> None:
        if stands:
            assert await compromise(run, []) == (key("a"),)
        else:
            with pytest.raises(Unavailable):
                await compromise(run, [])

    asking(act, USED, versions=answers, mark_version=BROKEN)


def test_a_declaration_made_again_spares_the_replacement_and_says_so() -> None:
    case = {
        "credentials": [{"key": "a"}, {"key": "c"}],
        "versions": [
            {"id": "v1", "holds": "a", "compromised": ["a"]},
            {"id": "v2", "holds": "c", "created": "-1h"},
        ],
    }

    async def act(run: Run, told: Answering, at: Scene) -> None:
        assert await compromise(run, []) == ()
        (note,) = at.told(Noted)
        assert (note.code, note.subject) == (NoteCode.NOT_DECLARED, key("c"))
        assert "was published on 2026-03-04 11:00 UTC as the replacement" in note.text
        assert f"--compromised --key-id {key('c')}" in note.text
        assert "mark_version" not in told.questions

    asking(act, worlds.observed(case))
