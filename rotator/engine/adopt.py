"""Adopt: make a foreign credential ours by a tag. Compromise: declare one known to others. Neither touches a credential."""

from collections.abc import Sequence

from rotator.engine.look import Memory, look
from rotator.engine.run import Run, ensure_granted
from rotator.errors import Forbidden, NotFound, UnsafeStep
from rotator.events import VersionMarked
from rotator.plan import Adoption, View, adoptable
from rotator.state import ADOPTED, COMPROMISED, Observed, Version, tags

MOST_VALUES = 10
"""Versions, newest first, whose values are tried; a hand-made secret has few."""


async def adopt(run: Run, key_id: str | None) -> Adoption:
    """Record that a foreign credential is ours from now on. Raises UnsafeStep with the choices where it isn't one."""
    await ensure_granted(run)
    observed = await look(run, Memory())
    adoption = adoptable(run.policy, observed, await _hints(run, observed), key_id)
    if not adoption.already:
        await _mark(run, adoption.version, ADOPTED, [*adoption.version.adopted, adoption.credential.key_id])
    return adoption


async def _hints(run: Run, observed: Observed) -> dict[str, str]:
    """The first three characters of each hand-made value that authenticates, as Graph's own `hint` shows them."""
    hints: dict[str, str] = {}
    theirs = [v for v in View(run.policy, observed, run.intent).versions if v.enabled and not v.ours]
    for version in theirs[-MOST_VALUES:]:
        try:
            value = await run.world.value(run.policy, version.id)
        except (NotFound, Forbidden):
            continue
        proof = await run.world.prove(run.policy, value, ())
        if proof.ok:
            hints[version.id] = value.reveal()[:3]
    return hints


async def compromise(run: Run, key_ids: Sequence[str]) -> tuple[str, ...]:
    """Mark credentials as known to others (none named: the current one); every later run replaces them at once. Returns the key ids."""
    observed = await look(run, Memory())
    view = View(run.policy, observed, run.intent)
    named = [k.lower() for k in key_ids] or ([view.current_key] if view.current_key else [])
    unknown = [k for k in named if k not in view.credentials]
    if unknown or not named:
        known = ", ".join(sorted(view.credentials)) or "none"
        raise UnsafeStep(f"the principal has no credential {', '.join(unknown) or 'of ours'}", remedy=f"Name some of these: {known}.")
    for version, keys in _holders(view, named).items():
        await _mark(run, version, COMPROMISED, [*version.compromised, *keys])
    return tuple(named)


def _holders(view: View, key_ids: Sequence[str]) -> dict[Version, list[str]]:
    fallback = view.current_version or view.newest
    if fallback is None:
        raise UnsafeStep(
            f"{view.policy.key_vault.password_secret} has no version that could record it",
            remedy=f"Run `rotator rotate {view.policy.name}` first.",
        )
    found: dict[Version, list[str]] = {}
    for key_id in key_ids:
        version = next((v for v in reversed(view.versions) if v.key_id == key_id), fallback)
        found.setdefault(version, []).append(key_id)
    return found


async def _mark(run: Run, version: Version, tag: str, key_ids: Sequence[str]) -> None:
    listed = sorted({k.lower() for k in key_ids})
    await run.world.mark_version(run.policy, version.id, tags=tags({**dict(version.tags), tag: ",".join(listed)}))
    run.tell(VersionMarked(policy=run.policy.name, version=version.id, tag=tag, key_ids=tuple(listed)))
