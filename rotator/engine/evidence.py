"""What is left of an access after a revocation, and the proof by a pull: refused after a revoke, served after a grant."""

from collections.abc import Sequence
from dataclasses import dataclass

from rotator import group
from rotator.engine.run import Run, Score, told
from rotator.errors import Forbidden, NotFound
from rotator.events import Noted, PullRefused
from rotator.plan import Effect, Way, remaining
from rotator.state import Credential, Observed, Outcome, Proof, Secret

PATIENCE, EVERY = 900.0, 15.0
"""Seconds for which, and between which, a change of role assignments is waited for (Azure takes up to ten minutes: azure-facts F4)."""
IN_A_ROW = 3
"""Refusals that make a proof: replicas learn of a change one after another."""
SIGNED_OUT = (Outcome.REFUSED, Outcome.EXPIRED)
"""Outcomes that show only that this password doesn't sign in; they say something of the access where no other password does."""
GONE, NOBODY = "access is gone: every pull is refused", "access is gone: no password is left that signs in"
REMAINS, REGAINS = "ACCESS REMAINS: the principal can still pull", "pulls are refused, but the principal can give itself access again"
ANYBODY = "ACCESS REMAINS: anybody can pull"
UNPROVEN = "access is marked as revoked, and not proven to be gone"
"""How a revocation ended: the first thing that its report says."""
NEED_A_PASSWORD = ("still_granted", "through_group", "could_regain")
"""Ways that are closed where the principal has no password."""
RESIDUE = "tokens that were issued before live on: up to 1 h of Entra, 75 min and 3 h of the registry"


@dataclass(frozen=True, slots=True)
class Left:
    """The password that a refusal is tried with, read before anything is disabled; or why there is none."""

    value: Secret | None
    why: str = ""

    @classmethod
    async def before(cls, run: Run, observed: Observed) -> "Left":
        """Read it, where there is one."""
        try:
            return cls(await run.world.value(run.policy))
        except (NotFound, Forbidden) as error:
            return cls(None, error.happened)


async def evidence(run: Run, score: Score, observed: Observed, left: Left, *, wait: bool) -> str:
    """Tell by what can be pulled now, and prove a refusal where nothing is known to let the principal pull; how it ended, in one line."""
    ways = await _ways(run, observed)
    live = [c for c in await run.world.credentials(run.policy) if c.live(observed.at)]
    for way in ways:
        warn = way.effect is Effect.UNKNOWN or _open(way, live)
        text = way.text if live or way.code not in NEED_A_PASSWORD else f"once it has a password again: {way.text}"
        told(run, Noted(policy=run.policy.name, code=way.code, subject=way.subject, text=text, warn=warn), score)
    told(run, Noted(policy=run.policy.name, code="residue", subject=run.policy.name, text=RESIDUE), score)
    if remain := {way.code for way in ways if way.effect is Effect.PULLS and _open(way, live)}:
        at_once = f"; `rotator revoke {run.policy.name} --credentials` takes every password of ours at once"
        _unproven(run, score, f"access remains{at_once if remain & {*NEED_A_PASSWORD} else ''}")
        return REMAINS if remain & {*NEED_A_PASSWORD} else ANYBODY
    if not live:
        text = "the principal has no password left that is valid: nobody signs in with one"
        told(run, Noted(policy=run.policy.name, code="no_password", subject=run.policy.principal.app_id, text=text), score)
    refused = await _refusal(run, score, observed, left, live, wait=wait and bool(live or left.value is not None))
    if unknown := [way for way in ways if way.effect is Effect.UNKNOWN]:
        _unproven(run, score, f"{len(unknown)} way(s) to pull may not be read")
    return _verdict(refused=refused, unknown=bool(unknown), regains=any(_open(way, live) for way in ways), passwords=bool(live))


def _verdict(*, refused: bool, unknown: bool, regains: bool, passwords: bool) -> str:
    if unknown or (passwords and not refused):
        return UNPROVEN
    if regains:
        return REGAINS
    return GONE if passwords else NOBODY


async def _ways(run: Run, observed: Observed) -> tuple[Way, ...]:
    seen = await run.world.registry_access(run.policy, observed.principal.service_principal)
    return tuple(way for each in seen for way in remaining(run.policy, observed.principal.service_principal, each))


def _open(way: Way, live: list[Credential]) -> bool:
    """Whether a way is one for the principal, which needs a password for all but one."""
    return way.effect in (Effect.PULLS, Effect.REGAINS) and bool(live or way.code == "anonymous_pull")


async def _refusal(run: Run, score: Score, observed: Observed, left: Left, live: list[Credential], *, wait: bool) -> bool:
    """Whether a pull was seen to be refused."""
    if not wait:
        if live:
            _unproven(run, score, "it was not waited for", warn=False)
        return False
    if left.value is None:
        _unproven(run, score, left.why)
        return False
    begun = run.clock.elapsed()
    if why := await _refused(run, left.value, group.images(run.policy, observed), live):
        _unproven(run, score, why)
        return False
    run.tell(PullRefused(policy=run.policy.name, after=run.clock.elapsed() - begun))
    return True


async def _refused(run: Run, value: Secret, images: Sequence[str], live: list[Credential]) -> str | None:
    """Wait until every pull is refused some times in a row; why that isn't proven, or None."""
    row, begun = 0, run.clock.elapsed()
    while row < IN_A_ROW:
        proof = await run.world.prove(run.policy, value, images)
        row = row + 1 if _no_pull(proof) else 0
        if row and proof.outcome in SIGNED_OUT and live:
            keys = ", ".join(sorted(c.key_id for c in live))
            return f"the published value doesn't sign in, so it shows nothing about the principal's other passwords ({keys})"
        if not row and run.clock.elapsed() - begun >= PATIENCE:
            return f"after {PATIENCE / 60:.0f} minutes a pull still isn't refused ({proof.outcome}); Azure documents up to ten"
        if row < IN_A_ROW:
            await run.clock.sleep(EVERY)
    return None


def _no_pull(proof: Proof) -> bool:
    """Whether a try was refused, by every registry and for every image."""
    refused = proof.outcome in (Outcome.NO_PULL, Outcome.DISABLED, *SIGNED_OUT)
    return refused and proof.registry_reached and not proof.served


def _unproven(run: Run, score: Score, why: str, *, warn: bool = True) -> None:
    text = f"that pulls are refused is not proven: {why}"
    told(run, Noted(policy=run.policy.name, code="not_proven", subject=run.policy.name, text=text, warn=warn), score)


async def acceptance(run: Run, score: Score, observed: Observed) -> None:
    """See a pull succeed, where there is a value to pull with."""
    images = group.images(run.policy, observed)
    try:
        value = await run.world.value(run.policy)
    except (NotFound, Forbidden):
        return
    begun = run.clock.elapsed()
    while not (proof := await run.world.prove(run.policy, value, images)).ok:
        if proof.outcome in (*SIGNED_OUT, Outcome.DISABLED) or run.clock.elapsed() - begun >= PATIENCE:
            text = f"the role is granted, and a pull doesn't succeed yet: {proof.outcome} {proof.detail}".rstrip()
            told(run, Noted(policy=run.policy.name, code="not_proven", subject=run.policy.name, text=text, warn=True), score)
            return
        await run.clock.sleep(EVERY)
