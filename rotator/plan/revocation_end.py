"""Judge the end of a revocation: from the remaining ways to pull, the ways to sign in, and tries of the old value."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rotator.codes import NoteCode
from rotator.plan.access import Effect, Way
from rotator.state import Outcome, Proof, SignIns

IN_A_ROW = 3
"""Refusals of one kind that make a proof: replicas learn of a change one after another."""
SIGNED_OUT = (Outcome.REFUSED, Outcome.EXPIRED)
"""Outcomes that show only that this password doesn't sign in."""


class Shown(StrEnum):
    """Result of tries of the published value, as far as the access is concerned."""

    NOTHING = "nothing"
    """No try was made, or none ended in refusals."""
    UNTRIED = "untried"
    """No value exists that could be tried."""
    PASSWORD = "password"  # noqa: S105 - a word
    """This password doesn't sign in; other keys of the principal are unknown."""
    ROLE = "role"
    """The value signs in, and every registry refuses the pull: the principal has no role, with any key."""
    PRINCIPAL = "principal"
    """Entra refuses all sign-ins as the principal, with any key."""


class Ending(StrEnum):
    """End of a revocation: the first line of its report."""

    GONE = "access is gone: every pull is refused"
    NOBODY = "access is gone: no password, certificate or other means signs in as the principal"
    ABSENT = "access is gone: the principal doesn't exist"
    REGAINS = "pulls are refused, but the principal can give itself access again"
    REMAINS = "ACCESS REMAINS: the principal can still pull"
    ANYBODY = "ACCESS REMAINS: the registry lets everyone pull"
    REGRANTED = "ACCESS WAS GRANTED AGAIN while it was being revoked"
    UNPROVEN = "access is marked as revoked, but it is not proven that pulls are refused"


@dataclass(frozen=True, slots=True)
class Tries:
    """Result of tries of the published value, and the reason if the result is no refusal."""

    shown: Shown
    why: str = ""


def refused(proof: Proof) -> bool:
    """Tell if a try was refused by every registry asked, and for every image."""
    return proof.outcome in (Outcome.NO_PULL, *SIGNED_OUT) and proof.registry_reached and not proof.served


def shown(proof: Proof) -> Shown:
    """Classify one try: a refusal by every registry and for every image, by Entra of password or principal, or none."""
    if proof.outcome is Outcome.DISABLED:
        return Shown.PRINCIPAL if proof.nobody else Shown.NOTHING
    if not refused(proof):
        return Shown.NOTHING
    return Shown.ROLE if proof.outcome is Outcome.NO_PULL else Shown.PASSWORD


def in_a_row(tries: Sequence[Shown]) -> Shown | None:
    """Return the kind of refusal on which the last `IN_A_ROW` tries agree; None if they don't."""
    last = tries[-IN_A_ROW:]
    return last[0] if len(last) == IN_A_ROW and set(last) == {last[0]} - {Shown.NOTHING} else None


def proves(kind: Shown, *, others: bool) -> bool:
    """Tell if refusals of this kind prove the end of access.

    `others`: other credentials sign in, too, about which a refused password shows nothing.
    """
    return kind is not Shown.PASSWORD or not others


def usable(way: Way, signs_in: SignIns) -> bool:
    """Tell if a way is known to be open: for the principal with a known sign-in, or for the public."""
    return way.effect in (Effect.PULLS, Effect.REGAINS) and (signs_in.known or way.code is NoteCode.ANONYMOUS_PULL)


def alarming(way: Way, signs_in: SignIns) -> bool:
    """Tell if a way forbids calling the access gone: the way is open, or its state is unknown."""
    return (
        way.effect is Effect.UNKNOWN
        or usable(way, signs_in)
        or (way.effect in (Effect.PULLS, Effect.REGAINS) and bool(signs_in.unread))
    )


def remains(ways: Sequence[Way], signs_in: SignIns) -> Ending | None:
    """Return the ending if access is known to remain, regardless of any try; None if a refusal may still come."""
    pulling = {way.code for way in ways if way.effect is Effect.PULLS and usable(way, signs_in)}
    if pulling - {NoteCode.ANONYMOUS_PULL}:
        return Ending.REMAINS
    return Ending.ANYBODY if pulling else None


def ending(ways: Sequence[Way], signs_in: SignIns, shown: Shown, *, agreed: bool) -> Ending:
    """Judge the end of a revocation. `agreed`: two readings of the sign-ins, two minutes apart, are the same.

    A refusal of the principal itself, or of its role, is proof regardless of the sign-ins. Otherwise access is gone
    only without any sign-in: one reading doesn't prove the absence of sign-ins, and unreadable or missing objects never
    do.
    """
    if left := remains(ways, signs_in):
        return left
    effects, nobody = {way.effect for way in ways}, agreed and signs_in.none
    if Effect.UNKNOWN in effects or shown is Shown.NOTHING:
        return Ending.UNPROVEN
    if shown is Shown.PRINCIPAL or (shown is Shown.ROLE and Effect.PULLS not in effects):
        return Ending.REGAINS if Effect.REGAINS in effects and not nobody else Ending.GONE
    return Ending.NOBODY if nobody else Ending.UNPROVEN


def rests_on_absence(ways: Sequence[Way], signs_in: SignIns, shown: Shown) -> bool:
    """Tell if the ending depends on a second reading of the sign-ins, because the first reading shows none."""
    return ending(ways, signs_in, shown, agreed=True) is not ending(ways, signs_in, shown, agreed=False)


def vanished(shown: Shown, *, agreed: bool, served: bool) -> Ending:
    """Return the ending for a principal that isn't found.

    `agreed`: not found in two readings, two minutes apart; `served`: a registry doesn't refuse the value.

    A lookup without a result proves nothing alone: the lookup may lag, or be made in a tenant other than the
    registry's.
    """
    return Ending.ABSENT if agreed and shown is Shown.PRINCIPAL and not served else Ending.UNPROVEN
