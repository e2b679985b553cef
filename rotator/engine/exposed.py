"""Compromised credentials that still sign in, told by every verb: whatever such a run did, it ends with 1 and says so first."""

from collections.abc import Awaitable, Callable

from rotator.engine.run import Result, Run, Score, Sight, failure, told
from rotator.errors import RotatorError
from rotator.events import Finished, Noted
from rotator.plan import STILL_OPEN, View, next_steps


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
    """Tell each compromised credential that signs in when everything is done."""
    if sight := await _sight(run):
        for note in next_steps(sight.policy, sight.observed, run.intent).notes:
            if note.code == STILL_OPEN:
                told(run, Noted(policy=run.policy.name, code=note.code, subject=note.subject, text=note.text, warn=note.warn), score)


async def _sight(run: Run) -> Sight | None:
    """The latest look where it shows nothing compromised; else, and where there was none, another one, if it succeeds."""
    latest = run.latest[0] if run.latest else None
    if latest and not View(latest.policy, latest.observed, run.intent).compromised:
        return latest
    policy = latest.policy if latest else run.policy
    try:
        return Sight(policy, await run.world.observe(policy, confirmed=True))
    except RotatorError:
        return latest
