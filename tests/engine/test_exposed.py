"""Tests of the end of a verb: its verdict, and the compromised credentials that still sign in, by a fresh look with all
marks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from rotator.causes import Cause, Denial, Grounds
from rotator.codes import FailureCode, NoteCode
from rotator.engine import Run
from rotator.engine.exposed import LOOKS, finish, tell_exposed
from rotator.engine.run import FRESH, PAUSE, Sight
from rotator.errors import Forbidden, Limited, NotFound, RotatorError
from rotator.events import Finished, Noted, StepDone, StepFailed, Waiting
from rotator.state import Observed, Outcome, Proof, Secret
from tests import worlds
from tests.answering import Answering, fresh_run
from tests.engine.test_permits import Scene, scene

A = {"key": "a"}
CLEAR = worlds.observed({"credentials": [A], "versions": [{"id": "v1", "holds": "a"}]})
OPEN = worlds.observed(
    {"credentials": [A, {"key": "b", "of": "somebody"}], "versions": [{"id": "v1", "holds": "a", "compromised": ["a"]}]}
)
LINGERS = worlds.observed({"credentials": [], "versions": [{"id": "v1", "holds": "a", "compromised": ["a"]}]})
LAGS = replace(CLEAR, versions_complete=False)
NO, SIGNS_IN = Proof(Outcome.REFUSED), Proof(Outcome.NO_PULL, signed_in=True)
REFUSED = Forbidden("No.", service="keyvault")
NOBODY = NotFound("No such principal.", service="graph", code=FailureCode.NO_SUCH_PRINCIPAL)


def telling(act: Callable[[Run, Answering, Scene], Awaitable[None]], **answers: Any) -> None:
    async def main(at: Scene) -> None:
        told = Answering(at.run.world, **{"observe": CLEAR, "value": Secret("a password"), "prove": NO} | answers)
        run = fresh_run(at, told, worlds.policy({}))
        await act(run, told, at)

    scene(main)


def sight(run: Run, observed: Observed, age: float = 0.0) -> Sight:
    return Sight(run.policy, run.world.moment() - age, observed)


def codes(at: Scene) -> list[str]:
    return [event.code for event in at.told(Noted)]


@pytest.mark.parametrize(
    ("latest", "age", "looks"), [(CLEAR, FRESH, 0), (CLEAR, FRESH + 1, 1), (LAGS, 0, 1), (OPEN, 0, 1), (None, 0, 1)]
)
def test_a_look_serves_while_it_is_fresh_and_shows_that_nothing_is_compromised(
    latest: Observed | None, age: float, looks: int
) -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        run.latest[:] = [sight(run, latest, age)] if latest else []
        await tell_exposed(run)
        assert told.questions == ["observe"] * looks
        assert told.ways == [{"confirmed": True}] * looks
        assert codes(at) == []

    telling(act)


FOUND: dict[str, tuple[dict[str, Any], list[str], int]] = {
    "it is there": ({"observe": OPEN}, [NoteCode.STILL_OPEN], 0),
    "it is gone and refused": ({"observe": LINGERS}, [], 3),
    "it is gone and signs in": ({"observe": LINGERS, "prove": SIGNS_IN}, [NoteCode.STILL_OPEN], 1),
}


@pytest.mark.parametrize("which", FOUND)
def test_a_compromised_credential_is_told_while_it_signs_in(which: str) -> None:
    answers, told_, tries = FOUND[which]

    async def act(run: Run, told: Answering, at: Scene) -> None:
        await tell_exposed(run)
        assert (codes(at), told.questions.count("prove")) == (told_, tries)

    telling(act, **answers)


BLIND: dict[str, tuple[Any, bool, Observed | None, list[str], int]] = {
    "a refusal": (REFUSED, False, None, [NoteCode.UNSEEN_MARKS], LOOKS),
    "an error of rotator's": (RotatorError("No."), False, None, [NoteCode.UNSEEN_MARKS], LOOKS),
    "a list that lags": (LAGS, False, None, [NoteCode.UNSEEN_MARKS], LOOKS),
    "a list that lags once": ([LAGS, CLEAR], False, None, [], 2),
    "a refusal once": ([REFUSED, OPEN], False, None, [NoteCode.STILL_OPEN], 2),
    "a refusal after a failure": (REFUSED, True, None, [], 1),
    "a refusal after a failure, with an old look": (REFUSED, True, CLEAR, [NoteCode.UNSEEN_MARKS], LOOKS),
    "a refusal after a failure, with a look that lags": (REFUSED, True, LAGS, [], 1),
    "a refusal, with a look that shows an alarm": (REFUSED, False, OPEN, [NoteCode.STILL_OPEN], LOOKS),
    "no such principal": (NOBODY, False, None, [], 1),
    "no such principal any more": (NOBODY, False, OPEN, [NoteCode.STILL_OPEN], LOOKS),
    "no such registry": (NotFound("No.", service="arm"), False, None, [NoteCode.UNSEEN_MARKS], LOOKS),
    "a vault that refuses": (
        replace(CLEAR, vault_refuses=Denial("No.", Grounds(Cause.ROLE))),
        False,
        None,
        [NoteCode.UNSEEN_MARKS],
        LOOKS,
    ),
}


@pytest.mark.parametrize("which", BLIND)
def test_marks_that_no_look_shows_are_told_once(which: str) -> None:
    observe, failed, latest, notes, looks = BLIND[which]

    async def act(run: Run, told: Answering, at: Scene) -> None:
        begun = run.clock.elapsed()
        run.score.failed = int(failed)
        run.latest[:] = [sight(run, latest, FRESH + 1)] if latest else []
        await tell_exposed(run)
        assert (codes(at), told.questions.count("observe")) == (notes, looks)
        assert run.clock.elapsed() - begun == PAUSE * (looks - 1)

    telling(act, observe=observe)


def test_a_run_about_some_registries_is_looked_at_again_about_those() -> None:
    async def act(run: Run, told: Answering, at: Scene) -> None:
        narrowed = worlds.policy({"groups": ["app"]})
        run.latest[:] = [Sight(narrowed, run.world.moment(), OPEN)]
        heard: list[Any] = []

        async def observe(policy: Any, **how: Any) -> Observed:
            heard.append(policy)
            return CLEAR

        told.observe = observe  # type: ignore[attr-defined]
        await tell_exposed(run)
        assert heard == [narrowed]

    telling(act)


def _limited(at: Scene) -> Limited:
    error = Limited("A limit.", service="aci", remedy="Later.")
    error.until = at.seen.observed.at
    return error


VERDICTS: dict[str, tuple[Any, Any, int, str, bool]] = {
    "a verdict": ("It is gone.", CLEAR, 0, "It is gone.", False),
    "a verdict under an alarm": ("It is gone.", OPEN, 1, "STILL", False),
    "none": ("", CLEAR, 0, "1 done", False),
    "a failure": (RotatorError("No."), CLEAR, 1, "1 done, 1 failed", False),
    "a limit": (_limited, CLEAR, 1, "1 done, 1 waiting past the warning, 1 postponed", True),
}


@pytest.mark.parametrize("which", VERDICTS)
def test_a_verb_ends_with_its_verdict_before_the_counts(which: str) -> None:
    ends, observe, exit_code, summary, due = VERDICTS[which]

    async def act(run: Run, told: Answering, at: Scene) -> None:
        async def verb() -> str:
            assert told.questions == [], "what is exposed is looked for after all steps"
            run.tell(StepDone(step="revoke", target="x"))
            found = ends(at) if callable(ends) else ends
            if isinstance(found, Exception):
                raise found
            return str(found)

        result = await finish(run, "revoke", verb)
        assert (result.exit_code, result.steps, bool(result.next_due)) == (exit_code, 1, due)
        assert result.summary.startswith(summary) if summary != "STILL" else result.summary.endswith("; It is gone.")
        (finished,) = at.told(Finished)
        assert (finished.exit_code, finished.summary, finished.next_due) == (
            result.exit_code,
            result.summary,
            result.next_due,
        )
        assert len(at.told(StepFailed)) == (which == "a failure")
        assert len(at.told(Waiting)) == (which == "a limit")
        assert told.questions.count("observe") == 1

    telling(act, observe=observe)
