"""Remaining access after a revocation, and the proof by a pull: refused after a revoke, served after a grant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rotator import container_group
from rotator.codes import NoteCode
from rotator.engine.run import Patience, Run
from rotator.errors import Forbidden, NotFound
from rotator.events import Noted, PullRefused
from rotator.plan import (
    Effect,
    Ending,
    Shown,
    Way,
    alarming,
    ending,
    remaining,
    remains,
    removal,
    rests_on_absence,
    usable,
)
from rotator.remedy import DELETE_FEDERATED_CREDENTIAL, rotator
from rotator.state import Key, Means, Observed, Outcome, Proof, Secret, SignIns

PATIENCE, EVERY = 900.0, 15.0
"""Seconds for which, and between which, a change of role assignments is waited for (Azure takes up to ten minutes:
azure-facts F4).
"""
IN_A_ROW = 3
"""Refusals of one kind that make a proof: replicas learn of a change one after another."""
AGREEING = 120.0
"""Seconds between two readings that must both find nothing before an absence counts: Graph's reads may lag for as long.
"""
SIGNED_OUT = (Outcome.REFUSED, Outcome.EXPIRED)
"""Outcomes that show only that this password doesn't sign in."""
RESIDUE = "tokens that were issued before live on: up to 1 h of Entra, 75 min and 3 h of the registry"
NOT_WAITED = "it was not waited for"
STAYS = "signs in as the principal, and isn't rotator's to remove"


@dataclass(frozen=True, slots=True)
class Left:
    """The password used to test for a refusal, read before any version is disabled; or the reason for its absence."""

    value: Secret | None
    why: str = ""

    @classmethod
    async def before(cls, run: Run) -> "Left":
        """Read the password, if there is one."""
        try:
            return cls(await run.world.value(run.policy))
        except (NotFound, Forbidden) as error:
            return cls(None, error.happened)


@dataclass(frozen=True, slots=True)
class AccessSeen:
    """Ways to pull and ways to sign in, at one look; `read` is the clock's reading before the look."""

    ways: tuple[Way, ...]
    signs_in: SignIns
    read: float


@dataclass(frozen=True, slots=True)
class Tries:
    """Result of tries of the published value, and the reason if the result is no refusal."""

    shown: Shown
    why: str = ""


async def evidence(run: Run, observed: Observed, left: Left, *, wait: bool, proving: Run | None = None) -> Ending:
    """Report all present ways to pull, and prove a refusal if no known way lets the principal pull.

    `proving` is the run for the registries that can be asked, if some can't.
    """
    seen = await _look(run, observed)
    _tell(run, seen)
    run.tell(Noted(code=NoteCode.RESIDUE, subject=run.policy.name, text=RESIDUE))
    if not remains(seen.ways, seen.signs_in):
        tries = (
            await try_out(
                proving or run, left, container_group.images(run.policy, observed), others=seen.signs_in.known
            )
            if wait
            else None
        )
        if tries is None:
            return _unproven(run, seen, Tries(Shown.NOTHING, NOT_WAITED))
        agreed = rests_on_absence(seen.ways, seen.signs_in, tries.shown)
        if agreed:
            seen = await _look_again(run, observed, seen)
        how = ending(seen.ways, seen.signs_in, tries.shown, agreed=agreed)
        if how is Ending.UNPROVEN:
            return _unproven(run, seen, tries)
        if not remains(seen.ways, seen.signs_in):
            return how
    return _remaining(run, seen)


async def _look(run: Run, observed: Observed) -> AccessSeen:
    read, principal = run.clock.elapsed(), observed.principal.service_principal
    shown = await run.world.registry_access(run.policy, principal)
    ways = tuple(way for each in shown for way in remaining(run.policy, principal, each))
    return AccessSeen(ways, (await run.world.sign_ins(run.policy)).live(observed.at), read)


async def _look_again(run: Run, observed: Observed, first: AccessSeen) -> AccessSeen:
    """Read a second time, two minutes after the first; the second reading is reported if it shows more."""
    if (left := first.read + AGREEING - run.clock.elapsed()) > 0:
        await Patience(
            run, "nothing signs in as the principal; one reading doesn't show that, so there is a second", left
        ).sleep(left)
    second = await _look(run, observed)
    if (second.ways, second.signs_in) != (first.ways, first.signs_in):
        _tell(run, second)
    return second


def _tell(run: Run, seen: AccessSeen) -> None:
    """Report the ways to pull, then the ways to sign in, each with the command to end it."""
    for way in seen.ways:
        closed = (
            way.code is not NoteCode.ANONYMOUS_PULL
            and way.effect in (Effect.PULLS, Effect.REGAINS)
            and seen.signs_in.none
        )
        text = f"once something signs in as it again: {way.text}" if closed else way.text
        run.tell(Noted(code=way.code, subject=way.subject, text=text, warn=alarming(way, seen.signs_in)))
    opens = any(usable(way, seen.signs_in) for way in seen.ways if way.code is not NoteCode.ANONYMOUS_PULL)
    for key in seen.signs_in.keys:
        run.tell(_key(run, key, opens=opens))
    for what in seen.signs_in.unread:
        run.tell(
            Noted(
                code=NoteCode.UNKNOWN,
                subject=run.policy.principal.app_id,
                text=f"unknown: {what}",
            )
        )
    if not seen.signs_in.passwords and not seen.signs_in.unread:
        text = "the principal has no password left that is valid: nobody signs in with one"
        run.tell(Noted(code=NoteCode.NO_PASSWORD, subject=run.policy.principal.app_id, text=text))


def _key(run: Run, key: Key, *, opens: bool) -> Noted:
    """Build the note on a way to sign in without a password, with the command to end it.

    Rotator never runs the command.
    """
    away = removal(run.policy.principal.app_id, key)
    match key.means:
        case Means.CERTIFICATE:
            what = (
                f"certificate {key.id} ({key.name or 'unnamed'}) of the {key.home.value.replace('_', ' ')}{_until(key)}"
            )
            text = f"{what} {STAYS}; `{away}` removes it"
            return Noted(code=NoteCode.CERTIFICATE, subject=key.id, text=text, warn=opens)
        case Means.FEDERATED:
            ended = (
                f"`{away}` removes it"
                if away
                else f"`{DELETE_FEDERATED_CREDENTIAL}`, with the identity's name, removes it"
            )
            return Noted(
                code=NoteCode.FEDERATED_CREDENTIAL,
                subject=key.id,
                text=f"federated credential {key.name} {STAYS}; {ended}",
                warn=opens,
            )
        case Means.IDENTITY:
            text = (
                f"the principal is managed identity {key.name}: whatever it is assigned to signs in as it; only its"
                " roles can be taken away"
            )
            return Noted(code=NoteCode.MANAGED_IDENTITY, subject=key.id, text=text, warn=opens)


def _until(key: Key) -> str:
    return f", valid until {key.until:%Y-%m-%d}," if key.until else ""


def _remaining(run: Run, seen: AccessSeen) -> Ending:
    """Report access known to remain."""
    how = remains(seen.ways, seen.signs_in) or Ending.UNPROVEN
    at_once = f"; `{rotator('revoke', run.policy.name, credentials=True)}` takes every password of ours at once"
    ours = how is Ending.REMAINS and seen.signs_in.passwords
    not_proven(run, f"access remains{at_once if ours else ''}")
    return how


def _unproven(run: Run, seen: AccessSeen, tries: Tries) -> Ending:
    reasons = list(_reasons(seen, tries))
    for why in reasons:
        not_proven(run, why, warn=why != NOT_WAITED)
    return Ending.UNPROVEN


def _reasons(seen: AccessSeen, tries: Tries) -> Iterator[str]:
    """Yield the reasons for a missing proof, each with the action to take."""
    if unknown := [way for way in seen.ways if way.effect is Effect.UNKNOWN]:
        yield f"{len(unknown)} way(s) to pull may not be read; give the rights that are named, and run again"
    if seen.signs_in.unread:
        yield "what signs in as the principal isn't known; see that it can be read, and run again"
    if tries.shown is not Shown.PASSWORD and tries.why:
        yield tries.why
    elif tries.shown is Shown.ROLE:
        yield "its pulls are refused although a role should allow them; run again"
    elif names := ", ".join(_names(seen.signs_in)):
        yield (
            f"the published value doesn't sign in, so it shows nothing about what else does ({names}); remove that, and"
            " run again"
        )


def _names(signs_in: SignIns) -> Iterator[str]:
    if signs_in.passwords:
        yield f"passwords {' '.join(sorted(each.key_id for each in signs_in.passwords))}"
    yield from (f"{key.means.value.replace('_', ' ')} {key.id}" for key in signs_in.keys)


def not_proven(run: Run, why: str, *, warn: bool = True) -> None:
    """Report the reason why the refusal of pulls is not proven."""
    text = f"that pulls are refused is not proven: {why}"
    run.tell(Noted(code=NoteCode.NOT_PROVEN, subject=run.policy.name, text=text, warn=warn))


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
        row = [*row, kind][-IN_A_ROW:] if (kind := _shown(proof)) is not Shown.NOTHING else []
        if len(row) == IN_A_ROW and len(set(row)) == 1:
            break
        if run.clock.elapsed() - begun >= PATIENCE:
            still = (
                f"after {PATIENCE / 60:.0f} minutes a pull still isn't refused ({proof.outcome} {proof.detail}".rstrip()
            )
            return Tries(Shown.NOTHING, f"{still}); Azure documents up to ten")
        await patience.sleep(EVERY)
    if row[0] is not Shown.PASSWORD or not others:
        run.tell(PullRefused(after=run.clock.elapsed() - begun))
    return Tries(row[0])


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
        if (shown := _shown(proof)) is not Shown.PRINCIPAL:
            said = f"a try of the published value is no answer to that ({proof.outcome} {proof.detail}".rstrip()
            return Tries(shown, "the published value pulls" if proof.ok else f"{said})")
    return Tries(Shown.PRINCIPAL)


def _shown(proof: Proof) -> Shown:
    """Classify one try: a refusal by every registry and for every image, by Entra of password or principal, or none."""
    if proof.outcome is Outcome.DISABLED:
        return Shown.PRINCIPAL if proof.nobody else Shown.NOTHING
    if not refused(proof):
        return Shown.NOTHING
    return Shown.ROLE if proof.outcome is Outcome.NO_PULL else Shown.PASSWORD


def refused(proof: Proof) -> bool:
    """Tell if a try was refused by every registry asked, and for every image."""
    return proof.outcome in (Outcome.NO_PULL, *SIGNED_OUT) and proof.registry_reached and not proof.served


async def acceptance(run: Run, observed: Observed) -> None:
    """See a pull succeed, where there is a value to pull with."""
    images = container_group.images(run.policy, observed)
    try:
        value = await run.world.value(run.policy)
    except NotFound:
        return
    except Forbidden as error:
        text = f"the role is granted, and that a pull succeeds isn't proven: {error.happened}"
        run.tell(
            Noted(
                code=NoteCode.NOT_PROVEN,
                subject=run.policy.name,
                text=text,
                warn=error.code != "SecretDisabled",
            )
        )
        return
    begun, patience = (
        run.clock.elapsed(),
        Patience(run, "a pull is tried until it succeeds; Azure takes up to ten minutes", PATIENCE),
    )
    while not (proof := await run.world.prove(run.policy, value, images)).ok:
        if proof.outcome in (*SIGNED_OUT, Outcome.DISABLED) or run.clock.elapsed() - begun >= PATIENCE:
            text = f"the role is granted, and a pull doesn't succeed yet: {proof.outcome} {proof.detail}".rstrip()
            run.tell(Noted(code=NoteCode.NOT_PROVEN, subject=run.policy.name, text=text, warn=True))
            return
        await patience.sleep(EVERY)
