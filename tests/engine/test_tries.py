"""Tests of tries of a value, each counted and dated: their number, their pauses, and the meaning of a refusal."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, cast

import pytest
from local_azure.keyvault.secret import Changes

from rotator.engine import Run
from rotator.engine.proving import AGAIN, again, prove, usable
from rotator.engine.proving import TRIES as TIMES
from rotator.engine.run import Seen
from rotator.engine.trial import PAUSE, TRIES, tried, try_out, try_removed, try_value
from rotator.errors import Forbidden, NotFound, ProofFailed, Unavailable
from rotator.events import Proving
from rotator.policy import Policy
from rotator.ports import World
from rotator.state import COMPROMISED, Outcome, Proof, Secret
from rotator.steps import Known
from tests.matrices.test_corners import within
from tests.stage import SECRET, Stage

YES, NO, ENDED = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.REFUSED, "No."), Proof(Outcome.EXPIRED)
NOTHING = Proof(Outcome.UNREACHABLE, "No answer.", registry_reached=False)
PULLS_NOT = Proof(Outcome.NO_PULL, signed_in=True)
Answer = Proof | Exception


@dataclass
class Answers:
    """World that answers tries in turn, repeats the last answer, and records the time of each try."""

    world: Any
    run: Run
    answers: Sequence[Answer]
    tries: list[tuple[str, tuple[str, ...], float]] = field(default_factory=list)
    values: list[Answer | Secret] = field(default_factory=list)
    """Results of the next reads of a value, in its place."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    async def prove(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        answer = self.answers[min(len(self.tries), len(self.answers) - 1)]
        self.tries.append((secret.reveal(), tuple(images), self.run.clock.elapsed()))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def value(self, policy: Policy, version: str | None = None) -> Any:
        if not self.values:
            return await self.world.value(policy, version)
        found = self.values.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def pauses(self) -> list[float]:
        at = [each for _, _, each in self.tries]
        return [later - earlier for earlier, later in pairwise(at)]


def trying(act: Callable[[Run, Answers], Awaitable[None]], *answers: Answer, world: str = "first") -> None:
    async def scene(made: Stage) -> None:
        async def main(run: Run) -> None:
            told = Answers(run.world, run, answers)
            await act(replace(run, world=cast("World", told)), told)

        await made.with_world(main)

    within(world, scene)


VALUE = Secret("a password")


@pytest.mark.parametrize(
    ("answers", "tries", "outcome"),
    [
        ((YES,), 1, Outcome.PROVEN),
        ((ENDED,), 1, Outcome.EXPIRED),
        ((NO, YES), 2, Outcome.PROVEN),
        ((NOTHING, NO, ENDED), 3, Outcome.EXPIRED),
        ((NO,), TRIES, Outcome.REFUSED),
        ((NOTHING,), TRIES, Outcome.UNREACHABLE),
        ((PULLS_NOT,), TRIES, Outcome.NO_PULL),
    ],
)
def test_a_value_is_tried_again_until_an_answer_settles_it(
    answers: tuple[Proof, ...], tries: int, outcome: Outcome
) -> None:
    async def act(run: Run, told: Answers) -> None:
        assert (await try_value(run, VALUE, ("image",))).outcome is outcome
        assert told.tries[0] == ("a password", ("image",), told.tries[0][2])
        assert told.pauses == [PAUSE] * (tries - 1)
        assert run.clock.elapsed() == told.tries[-1][2], "nothing is waited for after the last"

    trying(act, *answers)


@pytest.mark.parametrize(
    ("value", "answers", "bare", "around"),
    [
        (" a password ", (NO, NO, NO, YES), ["a password"], "white space or a line end"),
        (" a password ", (NO, NO, NO, PULLS_NOT), ["a password"], "white space or a line end"),
        (" a password ", (NO,), ["a password"], ""),
        ("a password", (NO,), [], ""),
        (" a password ", (NOTHING,), [], ""),
    ],
)
def test_a_refused_value_is_tried_without_what_surrounds_it(
    value: str, answers: tuple[Proof, ...], bare: list[str], around: str
) -> None:
    async def act(run: Run, told: Answers) -> None:
        proof = await try_value(run, Secret(value), ("image",))
        assert proof.outcome is answers[0].outcome
        assert proof.around == around
        assert (f"the value has {around} around it" in proof.detail) == bool(around)
        assert [(tried, images) for tried, images, _ in told.tries[TRIES:]] == [(each, ()) for each in bare]

    trying(act, *answers)


@pytest.mark.parametrize(
    ("answers", "tries", "ends"),
    [((YES,), 1, YES), ((NO, YES), 2, YES), ((PULLS_NOT,), 1, PULLS_NOT), ((NO,), TRIES, NO), ((NO, NO, YES), 3, YES)],
)
def test_a_removed_password_is_tried_until_a_replica_accepts_it(
    answers: tuple[Proof, ...], tries: int, ends: Proof
) -> None:
    async def act(run: Run, told: Answers) -> None:
        assert await try_removed(run, VALUE) == ends
        assert told.pauses == [PAUSE] * (tries - 1)
        assert run.clock.elapsed() == told.tries[-1][2]

    trying(act, *answers)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (NotFound("It is gone.", service="keyvault"), "rotator may not read its value: It is gone."),
        (Forbidden("No.", service="keyvault"), "rotator may not read its value: No."),
        (Unavailable("No answer.", service="keyvault"), "No answer."),
    ],
)
@pytest.mark.parametrize("removed", [False, True])
def test_a_value_that_cannot_be_read_shows_nothing(error: Exception, detail: str, *, removed: bool) -> None:
    async def act(run: Run, told: Answers) -> None:
        (version,) = (await run.observe()).versions
        told.values.append(error)
        assert await try_out(run, version, removed=removed) == Proof(Outcome.UNREACHABLE, detail)
        assert told.tries == []

    trying(act, YES)


@pytest.mark.parametrize(("removed", "tries"), [(True, 1), (False, TRIES)])
def test_a_sign_in_is_all_that_a_removed_password_is_tried_for(*, removed: bool, tries: int) -> None:
    async def act(run: Run, told: Answers) -> None:
        (version,) = (await run.observe()).versions
        assert await try_out(run, version, removed=removed) == PULLS_NOT
        assert len(told.tries) == tries

    trying(act, PULLS_NOT)


def test_a_version_is_tried_once_but_one_of_a_removed_password_until_entra_refuses_it() -> None:
    async def act(made: Stage) -> None:
        (ours,) = [each for each in made.versions() if each.enabled]
        tags = {**(ours.tags or {}), COMPROMISED: ours.tags["rotator-key-id"]}
        made.azure.vaults.update("myvault", SECRET, ours.id, _tagged(tags))
        made.azure.directory.remove_password(made.application, ours.tags["rotator-key-id"])
        made.azure.vaults.set("myvault", SECRET, "of somebody")
        made.pass_(minutes=10)

        async def main(run: Run) -> None:
            told = Answers(run.world, run, (NO,))
            run = replace(run, world=cast("World", told))
            observed, read = await run.observe(), run.world.moment()
            theirs = next(each.id for each in observed.versions if not each.key_id)
            found: tuple[tuple[str, Proof], ...] = ()
            for answer, again_ in ((YES, True), (NOTHING, True), (NO, False)):
                told.answers = (answer,)
                found = await tried(run, Seen(observed, read, Known(tried=found)))
                assert dict(found)[ours.id] == answer
                told.tries.clear()
                await tried(run, Seen(observed, read, Known(tried=found)))
                assert bool(told.tries) == again_, answer
                told.tries.clear()
            assert dict(found)[theirs] == YES, "as it was tried first"
            told.answers = (NO,)
            kept = tuple(each for each in found if each[0] != theirs)
            await tried(run, Seen(observed, read, Known(tried=kept)))
            assert [value for value, _, _ in told.tries] == ["of somebody"] * TRIES

        await made.with_world(main)

    within("at rest", act)


def _tagged(tags: dict[str, str]) -> Any:
    return Changes(tags=tags)


PROOF = {"times": 3, "over": "60s", "deadline": "5m"}
PROVINGS: dict[str, tuple[dict[str, Any], tuple[Answer, ...], list[float], list[int], bool]] = {
    "three in a row": (PROOF, (YES,), [30, 30], [1, 2, 3], True),
    "once": ({**PROOF, "times": 1, "over": "0s"}, (YES,), [], [1], True),
    "once over a minute": ({**PROOF, "times": 1}, (YES,), [60], [1, 2], True),
    "two at once": ({**PROOF, "times": 2, "over": "0s"}, (YES,), [0], [1, 2], True),
    "a failure starts again": (PROOF, (YES, NO, YES), [30, AGAIN, 30, 30], [1, 0, 1, 2, 3], True),
    "the first is late": (PROOF, (NO, YES), [AGAIN, 30, 30], [0, 1, 2, 3], True),
    "no answer": (PROOF, (Unavailable("No answer.", service="entra"), YES), [AGAIN, 30, 30], [0, 1, 2, 3], True),
    "never": ({**PROOF, "deadline": "61s"}, (NO,), [AGAIN] * 13, [0] * 14, False),
    "never at the very deadline": ({**PROOF, "over": "1s", "deadline": "10s"}, (NO,), [AGAIN] * 2, [0] * 3, False),
}


@pytest.mark.parametrize("which", PROVINGS)
def test_a_credential_is_proven_by_successes_in_a_row(which: str) -> None:
    wanted, answers, pauses, counts, proven = PROVINGS[which]

    async def scene(made: Stage) -> None:
        made.with_policy(proof=wanted)

        async def main(run: Run) -> None:
            told, begun = Answers(run.world, run, answers), len(made.events)
            run = replace(run, world=cast("World", told))
            if proven:
                assert await prove(run, "key", VALUE, ("image",)) == YES
            else:
                with pytest.raises(ProofFailed, match=r"had 0 of 3 successes in a row when .* last: refused: No\.$"):
                    await prove(run, "key", VALUE, ("image",))
            assert told.pauses == pauses
            assert [each.successes for each in made.events[begun:] if isinstance(each, Proving)] == counts
            assert run.clock.elapsed() == told.tries[-1][2]

        await made.with_world(main)

    within("first", scene)


def test_an_old_proof_is_renewed_by_one_of_a_few_tries() -> None:
    async def once(run: Run, told: Answers) -> None:
        assert await again(run, "key", VALUE, ("image",)) == YES
        assert told.pauses == [AGAIN] * (len(told.answers) - 1)
        assert run.clock.elapsed() == told.tries[-1][2]

    for failures in range(TIMES):
        trying(once, *[NOTHING] * failures, YES)

    async def never(run: Run, told: Answers) -> None:
        with pytest.raises(ProofFailed, match=r"had 0 of 2 successes .* last: refused$"):
            await again(run, "key", VALUE, ("image",))
        assert told.pauses == [AGAIN] * (TIMES - 1)
        assert run.clock.elapsed() == told.tries[-1][2]

    trying(never, Proof(Outcome.REFUSED))


@pytest.mark.parametrize(
    ("proof", "required", "optional"),
    [
        (YES, True, True),
        (NO, False, False),
        (NOTHING, False, True),
        (Proof(Outcome.UNREACHABLE), False, False),
        (PULLS_NOT, False, False),
        (Proof(Outcome.REFUSED, registry_reached=False), False, False),
    ],
)
def test_a_registry_that_cannot_be_reached_counts_where_the_policy_says_so(
    proof: Proof, *, required: bool, optional: bool
) -> None:
    async def scene(made: Stage) -> None:
        async def main(run: Run) -> None:
            assert usable(run, proof) == required
            made.with_policy(proof={**PROOF, "registry": "optional"})
            assert usable(replace(run, policy=made.policy), proof) == optional

        await made.with_world(main)

    within("first", scene)
