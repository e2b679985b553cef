"""Compromised credentials that still sign in, told by every verb: whatever such a run did, it ends with 1 and says so first.

A look that shows no mark is believed where it saw all versions, at most `run.FRESH` seconds ago: a declaration may have
come since. What can't be seen isn't known to be closed: that is told, too, and ends with 1.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from rotator.engine.run import FRESH, NO_PRINCIPAL, PAUSE, Result, Run, Score, Sight, failure, told
from rotator.engine.trial import try_out
from rotator.errors import NotFound, RotatorError
from rotator.events import Finished, Noted
from rotator.plan import STILL_OPEN, View, next_steps, unseen_marks
from rotator.policy import Policy
from rotator.steps import Note

LOOKS = 2
"""Looks, `run.PAUSE` seconds apart, until one shows what is compromised: a refusal may be one replica's."""


async def finish(run: Run, verb: str, act: Callable[[Score], Awaitable[str]]) -> Result:
    """Act; tell what is exposed then; and say how it ended before what was counted."""
    score, verdict = Score(), ""
    try:
        verdict = await act(score)
    except RotatorError as error:
        told(run, failure(run, verb, run.policy.name, error), score)
    await tell_exposed(run, score)
    summary = "; ".join([*score.alarms, str(verdict)]) if verdict else score.summary()
    result = Result(run.policy.name, score.exit_code, summary, None, score.done)
    run.tell(Finished(policy=run.policy.name, exit_code=result.exit_code, summary=result.summary))
    return result


async def tell_exposed(run: Run, score: Score) -> None:
    """Tell each compromised credential that signs in when everything is done; or that this isn't known, unless it failed for that."""
    blind = score.failed and not (run.latest and not _hidden(run.latest[0]))
    sight, why = await _sight(run, 1 if blind else LOOKS)
    notes = await _open(run, sight) if sight else []
    if why and not notes and not blind:
        notes = [unseen_marks(run.policy, why)]
    for note in notes:
        told(
            run,
            Noted(policy=run.policy.name, code=note.code, subject=note.subject, text=note.text, warn=note.warn),
            score,
        )


async def _open(run: Run, sight: Sight) -> list[Note]:
    """What is known to be open.

    What isn't listed is tried: a principal that a lookup doesn't find proves no end of access.
    """
    lingering = View(sight.policy, sight.observed, run.intent).lingering
    tried = [(version.id, await try_out(run, version, removed=True)) for version in lingering]
    following = next_steps(sight.policy, replace(sight.observed, tried=tuple(tried)), run.intent)
    return [note for note in following.notes if note.code == STILL_OPEN]


async def _sight(run: Run, looks: int) -> tuple[Sight | None, str]:
    """The latest look where that shows nothing compromised; else, and where there was none, another one.

    If none succeeds: the latest, and why.
    """
    latest, why = run.latest[0] if run.latest else None, ""
    if latest and run.world.moment() - latest.read <= FRESH and _clear(run, latest):
        return latest, ""
    for again in range(looks):
        if again:
            await run.clock.sleep(PAUSE)
        try:
            sight = await _look(run, latest.policy if latest else run.policy)
        except RotatorError as error:
            if latest is None and isinstance(error, NotFound) and error.code == NO_PRINCIPAL:
                return None, ""  # nothing signs in as a principal that isn't there: this run has said so, or has failed
            why = error.happened
        else:
            if not (why := _hidden(sight)):
                return sight, ""
    return latest, why


async def _look(run: Run, policy: Policy) -> Sight:
    read = run.world.moment()
    return Sight(policy, read, await run.world.observe(policy, confirmed=True))


def _clear(run: Run, sight: Sight) -> bool:
    return not _hidden(sight) and not View(sight.policy, sight.observed, run.intent).compromised


def _hidden(sight: Sight) -> str:
    """Why a look doesn't show every mark; empty where it does."""
    lags = "Key Vault's list of versions lacks the newest one"
    return sight.observed.vault_refuses or ("" if sight.observed.versions_complete else lags)
