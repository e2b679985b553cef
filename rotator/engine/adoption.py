"""Adopt: make a foreign credential ours by a tag.

Compromise: declare one known to others. Neither touches a credential.
"""

from collections.abc import Sequence

from rotator.codes import NoteCode
from rotator.engine.marks import record
from rotator.engine.memory import Memory
from rotator.engine.observation import look
from rotator.engine.run import Run, ensure_granted
from rotator.engine.trial import PAUSE, TRIES, surrounding
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.events import Noted
from rotator.plan import (
    Adoption,
    CompromiseDeclared,
    Value,
    View,
    adoptable,
    adoption_marks,
    compromise_marks,
    declared,
)
from rotator.remedy import rotator
from rotator.state import Observed, Secret
from rotator.words import day

MOST_VALUES = 10
"""Versions, newest first, whose values are tried; a hand-made secret has few."""


async def adopt(run: Run, key_id: str | None) -> Adoption:
    """Record a foreign credential as ours from now on, unless already recorded.

    Raises UnsafeStep with the choices if no single foreign credential fits.
    """
    await ensure_granted(run)
    observed = (await look(run, Memory())).observed
    values = await _values(run, observed)
    # what is no longer among the credentials was adopted before it went, so the versions are read after them
    versions = await run.world.versions(run.policy)
    adoption = adoptable(run.policy, observed.reread(versions=versions), values, key_id)
    if not adoption.already:
        await record(run, lambda now: adoption_marks(run.policy, now, adoption))
    return adoption


async def _values(run: Run, observed: Observed) -> dict[str, Value]:
    """Return the first characters of the value of each enabled foreign version, and its ability to authenticate."""
    found: dict[str, Value] = {}
    view = View(run.policy, observed, run.intent)
    theirs = [v for v in view.versions if v.enabled and not v.ours]
    hints = {c.hint for c in view.foreign if c.live(view.at)}
    for version in theirs[-MOST_VALUES:]:
        try:
            value = await run.world.value(run.policy, version.id)
        except (NotFound, Forbidden) as error:
            found[version.id] = Value("", False, unread=error.happened)
            continue
        hint = value.reveal()[:3]
        works = await _works(run, value, TRIES if hint in hints else 1)
        found[version.id] = Value(hint, works, "" if works else await surrounding(run, value))
    return found


async def _works(run: Run, value: Secret, tries: int) -> bool:
    """Tell if the value authenticates.

    A likely value gets several tries, since one replica's error proves nothing.
    """
    for attempt in range(tries):
        if attempt:
            await run.clock.sleep(PAUSE)
        if (await run.world.prove(run.policy, value, ())).signed_in:
            return True
    return False


async def compromise(run: Run, key_ids: Sequence[str]) -> tuple[str, ...]:
    """Mark credentials as known to others (none named: the current one); every later run replaces them at once.

    Returns the key ids.
    """
    observed = (await look(run, Memory())).observed
    declaration = declared(run.policy, observed, key_ids)
    if declaration.spared:
        _tell_spared(run, declaration)
    try:
        await record(run, lambda now: compromise_marks(run.policy, observed.reread(versions=now), declaration.key_ids))
    except AzureError:
        if not await _stands(run, declaration.key_ids):
            raise
    return declaration.key_ids


async def _stands(run: Run, key_ids: Sequence[str]) -> bool:
    """Tell if each credential is declared compromised at least once: enough for the rotation that follows."""
    return set(key_ids) <= {k for version in await run.world.versions(run.policy) for k in version.compromised}


def _tell_spared(run: Run, declaration: CompromiseDeclared) -> None:
    key_id, since, policy = declaration.spared or "", declaration.since, run.policy.name
    when = f" on {day(since)}" if since else ""
    text = (
        f"credential {key_id} is not declared compromised now: it was published{when} as the replacement of the"
        f" compromised credential {declaration.replaced}"
    )
    again = (
        f"so the command counts as a repetition. If credential {key_id} is known to others, too:"
        f" `{rotator('rotate', policy, compromised=True, key_id=key_id)}`"
    )
    run.tell(Noted(code=NoteCode.NOT_DECLARED, subject=key_id, text=f"{text}, {again}"))
