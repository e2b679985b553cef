"""Compromised credentials that still sign in, told by the verbs that change access: whatever such a run did, it ends with 1 and says so first."""

from rotator.engine.run import Run, Score, told
from rotator.errors import RotatorError
from rotator.events import Noted
from rotator.plan import STILL_OPEN, View, next_steps
from rotator.state import Observed


def tell_exposed(run: Run, score: Score, observed: Observed) -> None:
    """Tell each one that an observation shows."""
    for note in next_steps(run.policy, observed, run.intent).notes:
        if note.code == STILL_OPEN:
            told(run, Noted(policy=run.policy.name, code=note.code, subject=note.subject, text=note.text, warn=note.warn), score)


async def look_exposed(run: Run, score: Score, before: Observed) -> None:
    """Tell each one that is still there when the run is over; by what was seen `before` it where that can't be read now."""
    observed = before
    if View(run.policy, before, run.intent).compromised:
        try:
            observed = await run.world.observe(run.policy, confirmed=True)
        except RotatorError:
            observed = before
    tell_exposed(run, score, observed)
