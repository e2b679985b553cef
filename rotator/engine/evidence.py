"""Remaining access after a revocation, and the proof by a pull: refused after a revoke, served after a grant."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rotator import container_group
from rotator.codes import NoteCode
from rotator.engine.run import Patience, Run
from rotator.errors import Forbidden, NotFound
from rotator.events import Noted, PullRefused
from rotator.plan import (
    Ending,
    Shown,
    Tries,
    Way,
    ending,
    in_a_row,
    remaining,
    remains,
    rests_on_absence,
    revocation_notes,
)
from rotator.plan.revocation_end import IN_A_ROW, SIGNED_OUT, proves, shown
from rotator.plan.view import View
from rotator.remedy import rotator
from rotator.state import Credential, Observed, Outcome, Secret, SignIns
from rotator.steps import Note

PATIENCE, EVERY = 900.0, 15.0
"""Longest wait for a change of role assignments, and pause between two tries, in seconds.

Azure takes up to ten minutes (azure-facts F4).
"""
AGREEING = 120.0
"""Seconds between two readings that must both find nothing before an absence counts: Graph's reads may lag for as long.
"""


@dataclass(frozen=True, slots=True)
class Left:
    """The password used to test for a refusal, read before any version is disabled; or the reason for its absence."""

    value: Secret | None
    why: str = ""

    @classmethod
    async def before(cls, run: Run) -> "Left":
        """Read the password, if there is one. A version that is disabled, as `--credentials` leaves it, has none."""
        try:
            return cls(await run.world.value(run.policy))
        except (NotFound, Forbidden) as error:
            return cls(None, "" if error.code == "SecretDisabled" else error.happened)


@dataclass(frozen=True, slots=True)
class AccessSeen:
    """Ways to pull and ways to sign in, at one look; `read` is the clock's reading before the look."""

    ways: tuple[Way, ...]
    signs_in: SignIns
    read: float


async def gather(run: Run, observed: Observed, left: Left, *, wait: bool, proving: Run | None = None) -> Ending:
    """Report all present ways to pull, and prove a refusal if no known way lets the principal pull.

    `proving` is the run for the registries that can be asked, if some can't.
    """
    seen = await _look(run, observed)
    _tell(run, revocation_notes.open_ways(run.policy, seen.ways, seen.signs_in))
    run.tell(revocation_notes.residue(run.policy))
    ours = View(run.policy, observed, run.intent).ours
    if known := remains(seen.ways, seen.signs_in):
        return _remaining(run, seen, ours, known)
    tries = Tries(Shown.NOTHING, revocation_notes.NOT_WAITED)
    if wait:
        images = container_group.images(run.policy, observed)
        tries = await try_out(proving or run, left, images, others=seen.signs_in.known)
    agreed = rests_on_absence(seen.ways, seen.signs_in, tries.shown)
    if agreed:
        seen = await _look_again(run, observed, seen)
    how = ending(seen.ways, seen.signs_in, tries.shown, agreed=agreed)
    if how is Ending.UNPROVEN:
        _tell(run, revocation_notes.doubts(run.policy, seen.ways, seen.signs_in, tries))
        return how
    return _remaining(run, seen, ours, known) if (known := remains(seen.ways, seen.signs_in)) else how


def _remaining(run: Run, seen: AccessSeen, ours: Collection[Credential], known: Ending) -> Ending:
    run.tell(revocation_notes.known_to_remain(run.policy, seen.ways, seen.signs_in, ours))
    return known


def _tell(run: Run, notes: Iterable[Note]) -> None:
    for note in notes:
        run.tell(note)


async def _look(run: Run, observed: Observed) -> AccessSeen:
    read, principal = run.clock.elapsed(), observed.principal.service_principal
    shown = await run.world.registry_access(run.policy, principal)
    ways = tuple(way for each in shown for way in remaining(run.policy, principal, each))
    return AccessSeen(ways, (await run.world.sign_ins(run.policy)).live(observed.at), read)


async def _look_again(run: Run, observed: Observed, first: AccessSeen) -> AccessSeen:
    """Read a second time, two minutes after the first; the second reading is reported if it shows more."""
    if (left := first.read + AGREEING - run.clock.elapsed()) > 0:
        await Patience(
            run, "no password or key signs in as the principal; one read does not prove that, so it is read again", left
        ).sleep(left)
    second = await _look(run, observed)
    if (second.ways, second.signs_in) != (first.ways, first.signs_in):
        _tell(run, revocation_notes.open_ways(run.policy, second.ways, second.signs_in))
    return second


async def try_out(run: Run, left: Left, images: Sequence[str], *, others: bool) -> Tries:
    """Try the published value until it is refused several times in a row in one way.

    `others`: other credentials sign in, too.
    """
    if left.value is None:
        return Tries(Shown.UNTRIED, left.why)
    row, begun = list[Shown](), run.clock.elapsed()
    patience = Patience(
        run, f"a pull is tried until it is refused {IN_A_ROW} times in a row; Azure takes up to ten minutes", PATIENCE
    )
    while True:
        proof = await run.world.prove(run.policy, left.value, images)
        row.append(shown(proof))
        if kind := in_a_row(row):
            break
        if run.clock.elapsed() - begun >= PATIENCE:
            still = (
                f"after {PATIENCE / 60:.0f} minutes a pull still isn't refused ({proof.outcome} {proof.detail}".rstrip()
            )
            return Tries(Shown.NOTHING, f"{still}); Azure documents up to ten")
        await patience.sleep(EVERY)
    if proves(kind, others=others):
        run.tell(PullRefused(after=run.clock.elapsed() - begun))
    return Tries(kind)


async def unknown_to_entra(run: Run, left: Left) -> Tries:
    """Try the published value of a principal not found.

    Entra's answer "no such principal" is expected; the first other answer shows the existence of the principal.
    """
    if left.value is None:
        return Tries(Shown.UNTRIED, left.why)
    patience = Patience(run, "the published value is tried again: one refusal proves nothing", EVERY * (IN_A_ROW - 1))
    for attempt in range(IN_A_ROW):
        if attempt:
            await patience.sleep(EVERY)
        proof = await run.world.prove(run.policy, left.value, ())
        if (kind := shown(proof)) is not Shown.PRINCIPAL:
            said = (
                f"the try of the published value shows no refusal of the principal itself ({proof.outcome}"
                f" {proof.detail}"
            ).rstrip()
            return Tries(kind, "the published value pulls" if proof.ok else f"{said})")
    return Tries(Shown.PRINCIPAL)


def _disabled(run: Run) -> str:
    return (
        "the role is granted, but readers get no password: the newest version of"
        f" {run.policy.key_vault.password_secret} is disabled, as after a revocation of the passwords;"
        f" `{rotator('rotate', run.policy.name)}` publishes a new one"
    )


async def acceptance(run: Run, observed: Observed) -> None:
    """See a pull succeed, where there is a value to pull with.

    Time heals a role that isn't known everywhere yet, and no network that denies rotator.
    """
    images = container_group.images(run.policy, observed)
    try:
        value = await run.world.value(run.policy)
    except NotFound:
        return
    except Forbidden as error:
        disabled = error.code == "SecretDisabled"
        text = _disabled(run) if disabled else f"the role is granted, but no pull could be tried: {error.happened}"
        run.tell(Noted(code=NoteCode.NOT_PROVEN, subject=run.policy.name, text=text, warn=not disabled))
        return
    begun, patience = (
        run.clock.elapsed(),
        Patience(run, "a pull is tried until it succeeds; Azure takes up to ten minutes", PATIENCE),
    )
    unreached = 0
    while not (proof := await run.world.prove(run.policy, value, images)).ok:
        unreached = unreached + 1 if proof.outcome is Outcome.UNREACHABLE else 0
        hopeless = proof.outcome in (*SIGNED_OUT, Outcome.DISABLED) or unreached == IN_A_ROW
        if hopeless or run.clock.elapsed() - begun >= PATIENCE:
            text = f"the role is granted, but no pull has succeeded yet: {proof.outcome} {proof.detail}".rstrip()
            run.tell(Noted(code=NoteCode.NOT_PROVEN, subject=run.policy.name, text=text, warn=True))
            return
        await patience.sleep(EVERY)
