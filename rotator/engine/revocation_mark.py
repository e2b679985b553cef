"""The access mark of a revocation: written before the first deletion, and read again before later writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from rotator.engine.run import DECISIONS, FRESH, PAUSE, Run, access_now
from rotator.errors import OutcomeUnknown, UnsafeStep
from rotator.events import AccessRecorded
from rotator.ports import AccessRecord
from rotator.remedy import rotator
from rotator.state import Access, Assignment

AGEING = FRESH / 2
"""Seconds after which the access mark and the due steps are read again: no write rests on a read older than `FRESH`."""


@dataclass(slots=True)
class MarkBefore:
    """The record as it was `before` this revocation marked it, and the time of the last check for a new grant.

    `read` is the moment before the record was last seen without a new grant.
    """

    before: AccessRecord
    read: float
    regranted: bool = False

    async def not_after(self, run: Run) -> float | None:
        """Return the latest moment for sending the next write; None if access was granted meanwhile."""
        if run.world.moment() - self.read > AGEING:
            await self.granted(run)
        return None if self.regranted else self.read + FRESH

    async def granted(self, run: Run) -> bool:
        """Tell if access was granted since; a lagging read shows the earlier record."""
        now, read = await access_now(run)
        self.read, self.regranted = read, self.regranted or (now.access is Access.GRANTED and now != self.before)
        return self.regranted

    async def permit(self, run: Run) -> float:
        """The moment before a look that shows no grant: asked before each removal of a credential.

        Raises UnsafeStep.
        """
        if await self.granted(run):
            raise UnsafeStep(
                "access was granted meanwhile", remedy=f"`{rotator('revoke', run.policy.name)}` revokes it again."
            )
        return self.read


async def mark_revoked(run: Run, before: AccessRecord, lost: Sequence[Assignment], read: float) -> MarkBefore:
    """Write the record before the first deletion, unless the record already has the same content.

    Without an answer, only the record tells: it is read again, and written again if it isn't there, a bounded number of
    times. A grant seen then is never overwritten. Raises OutcomeUnknown.
    """
    wanted = _merged(lost)
    if _says(before, wanted):
        return MarkBefore(before, run.world.moment())
    for left in reversed(range(DECISIONS)):
        try:
            await run.world.record_access(run.policy, Access.REVOKED, wanted, not_after=read + FRESH)
            break
        except OutcomeUnknown:
            if not left:
                raise
        await run.clock.sleep(PAUSE)
        now, read = await access_now(run)
        if now.access is Access.GRANTED and now != before:
            return MarkBefore(before, read, regranted=True)
        if now.access is Access.REVOKED:
            wanted = _merged((*now.assignments, *wanted))
        if _says(now, wanted):
            break
    run.tell(AccessRecorded(access=Access.REVOKED, assignments=len(wanted)))
    return MarkBefore(before, run.world.moment())


def _says(record: AccessRecord, wanted: tuple[Assignment, ...]) -> bool:
    return record.access is Access.REVOKED and record.assignments == wanted


def _merged(assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
    return tuple(sorted({each.id: each for each in assignments}.values()))
