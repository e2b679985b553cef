"""Marks on versions of the secret: read, add, write, look again, and write once more if another write removed them.

Rules for editors of this file:

1. Key Vault replaces all tags of a version at once, without conditions, so a write from an old read removes the tags
   written by others meanwhile. Each write leaves within `SENT_WITHIN` of its read, and is looked for `SEEN_AFTER`
   later: a write from an earlier read has arrived by then, or its writer knows that the write was late.
2. Tags changed by people stay as they left them: a repeated write starts from a new read.
3. A late writer can't know the tags removed by the late write. The writer says so, with exit code 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rotator.codes import NoteCode
from rotator.engine.run import Run
from rotator.errors import AzureError, Conflict, NotSent, OutcomeUnknown, Throttled, Unavailable
from rotator.events import Noted, VersionMarked
from rotator.plan import MOST_TAGS, Mark, marked
from rotator.remedy import rotator
from rotator.state import Version

SENT_WITHIN, SEEN_AFTER = 3.0, 6.0
"""Seconds between a read and the write that rests on it, and between a write and the look that finds it, at most and at
least.
"""
TIMES = 8
"""Tries to write a mark that others, or the network, undo."""

Wanted = Callable[[tuple[Version, ...]], tuple[Mark, ...]]
"""From the versions as they are to the marks that they still lack."""


async def record(run: Run, wanted: Wanted) -> None:
    """Write the marks missing from `wanted` until a later look finds none missing.

    Raises the error that prevented a write, or Conflict if the marks never lasted.
    """
    trouble: AzureError | None = None
    for _ in range(TIMES):
        lacking = wanted(await run.world.versions(run.policy))
        if not lacking:
            return
        sent = False
        for mark in lacking:
            try:
                sent = await _write(run, mark) or sent
            except (OutcomeUnknown, Throttled, Unavailable) as error:
                trouble, sent = error, True
        if sent:
            await run.clock.sleep(SEEN_AFTER)
    if lacking := wanted(await run.world.versions(run.policy)):
        raise trouble or _undone(run, lacking)


async def _write(run: Run, mark: Mark) -> bool:
    """Add one mark to the present tags of a version.

    Return False if no write was sent: no room for a tag, or the read too old.
    """
    read = run.world.moment()
    version = await run.world.version(run.policy, mark.version)
    found = marked(version, mark)
    if found is None:
        return False
    try:
        await run.world.mark_version(run.policy, version.id, tags=found.tags, not_after=read + SENT_WITHIN)
    except NotSent:
        return False
    except (OutcomeUnknown, Throttled, Unavailable):
        _tell_late(run, version, run.world.moment() - read)
        raise
    _tell_late(run, version, run.world.moment() - read)
    _tell(run, replace(version, tags=found.tags), mark, found.dropped)
    return True


def _tell(run: Run, version: Version, mark: Mark, dropped: Sequence[str]) -> None:
    run.tell(VersionMarked(version=version.id, tag=mark.tag, key_ids=version.listed(mark.tag)))
    if dropped:
        text = (
            f"tag {', '.join(dropped)} of version {version.id} was replaced by {mark.tag}: a version can have"
            f" {MOST_TAGS} tags (a limit of Key Vault)"
        )
        run.tell(Noted(code=NoteCode.TAGS_DROPPED, subject=version.id, text=text))


def _tell_late(run: Run, version: Version, seconds: float) -> None:
    if seconds >= SEEN_AFTER:
        text = (
            f"the tags of version {version.id} were written {seconds:.0f} s after they were read, and tags that"
            " others wrote in between may be lost"
        )
        more = (
            f"look at `{rotator('history', run.policy.name, output='json')}`, and repeat an adoption or declaration"
            " that was made at the same time"
        )
        run.tell(Noted(code=NoteCode.LATE_MARK, subject=version.id, text=f"{text}; {more}", warn=True))


def _undone(run: Run, lacking: Sequence[Mark]) -> Conflict:
    what = ", ".join(f"{mark.tag} on version {mark.version}" for mark in lacking)
    return Conflict(
        f"{what} of {run.policy.key_vault.password_secret} is missing, although rotator wrote it {TIMES} times",
        service="Key Vault",
        state="The tag is not on the version.",
        remedy="Find out who writes the tags of this secret (a pipeline, an Azure Policy), then run again.",
    )
