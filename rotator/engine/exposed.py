"""Compromised credentials that still sign in, reported by every verb: such a run ends with 1 and says so first.

A look without a mark is trusted if it saw all versions, at most `run.FRESH` seconds ago: a declaration may have come
since. Credentials that can't be seen aren't known to be closed: such a gap is reported, too, and ends with 1.
"""

from collections.abc import Awaitable, Callable

from rotator.codes import FailureCode, NoteCode
from rotator.engine.run import FRESH, PAUSE, Run, Sight, stopped
from rotator.engine.trial import try_out
from rotator.errors import NotFound, RotatorError
from rotator.events import Finished
from rotator.plan import View, next_steps, unseen_marks
from rotator.policy import Policy
from rotator.results import Result
from rotator.steps import Known, Note

LOOKS = 2
"""Looks, `run.PAUSE` seconds apart, until one shows what is compromised: a refusal may be one replica's."""


async def finish(run: Run, verb: str, act: Callable[[], Awaitable[str]]) -> Result:
    """Act; then report exposed credentials; and state the result before the counts."""
    verdict = ""
    try:
        verdict = await act()
    except RotatorError as error:
        run.tell(stopped(run, verb, error))
    await tell_exposed(run)
    score, due = run.score, run.score.limit_ends
    summary = "; ".join([*score.alarms, str(verdict)]) if verdict else score.summary()
    result = Result(run.policy.name, score.exit_code, summary, due, score.done)
    run.tell(Finished(exit_code=result.exit_code, summary=result.summary, next_due=due))
    return result


async def tell_exposed(run: Run) -> None:
    """Report each compromised credential that still signs in after all steps.

    If their state is unknown, report the gap, unless the run failed for the same reason.
    """
    blind = run.score.failed and not (run.latest and not _hidden(run.latest[0]))
    sight, why = await _sight(run, 1 if blind else LOOKS)
    notes = await _open(run, sight) if sight else []
    if why and not notes and not blind:
        notes = [unseen_marks(run.policy, why)]
    for note in notes:
        run.tell(note)


async def _open(run: Run, sight: Sight) -> list[Note]:
    """Return notes on the compromised credentials known to sign in.

    Unlisted credentials are tried, too: a principal not found by a lookup proves no end of access.
    """
    lingering = View(sight.policy, sight.observed, run.intent).lingering
    tried = [(version.id, await try_out(run, version, removed=True)) for version in lingering]
    following = next_steps(sight.policy, sight.observed, run.intent, Known(tried=tuple(tried)))
    return [note for note in following.notes if note.code is NoteCode.STILL_OPEN]


async def _sight(run: Run, looks: int) -> tuple[Sight | None, str]:
    """Return the latest look if it shows no compromised credential; else, or without one, make another look.

    If no look succeeds: the latest, and the reason.
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
            if latest is None and isinstance(error, NotFound) and error.code == FailureCode.NO_SUCH_PRINCIPAL:
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
    """Return the reason why a look doesn't show every mark; empty if it does."""
    lags = "Key Vault's list of versions lacks the newest one"
    refused = sight.observed.vault_refuses
    return str(refused) if refused else ("" if sight.observed.versions_complete else lags)
