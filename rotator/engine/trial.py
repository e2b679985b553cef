"""Tries values of the published secret: one refusal of one replica is no proof, and a value that is right but for what surrounds it is told."""

from collections.abc import Sequence
from dataclasses import replace

from rotator.engine.run import Run
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.plan import View, worth_trying
from rotator.state import Observed, Outcome, Proof, Secret, Version

TRIES, PAUSE = 3, 5.0
"""Tries of one value, and seconds between them: one replica's hiccup is no reason to veto."""
QUOTES = ("'", '"', "`")
SPACE = " \t\r\n\v\f\u00a0\ufeff\u200b"
"""White space, also what Unicode and editors add: a no-break space, a byte order mark, a space without width."""
SETTLED = (Outcome.PROVEN, Outcome.EXPIRED)
"""Outcomes that no second try changes."""


async def trial(run: Run, value: Secret, images: Sequence[str]) -> Proof:
    """The proof of a value after up to three tries; of a refused one, whether it is right without white space or quotes around it."""
    proof = Proof(Outcome.UNREACHABLE, "not tried")
    for attempt in range(TRIES):
        if attempt:
            await run.clock.sleep(PAUSE)
        proof = await run.world.prove(run.policy, value, images)
        if proof.outcome in SETTLED:
            return proof
    return await _looked_around(run, value, proof) if proof.outcome is Outcome.REFUSED else proof


async def _looked_around(run: Run, value: Secret, refused: Proof) -> Proof:
    what = await surrounding(run, value)
    detail = f"the password is right, but the value has {what} around it, and Microsoft Entra ID takes it only without"
    return replace(refused, detail=detail, around=what) if what else refused


async def surrounding(run: Run, value: Secret) -> str:
    """What stands around a value that Entra takes without it; empty where there is nothing, or it makes no difference."""
    found = around(value)
    return found[0] if found and (await run.world.prove(run.policy, found[1], ())).signed_in else ""


def around(value: Secret) -> tuple[str, Secret] | None:
    """What an editor, a shell or a template left around a value, and the value without it; None where there is nothing."""
    found: list[str] = []
    bare = value.reveal()
    while bare != (slim := bare.strip(SPACE)) or _quoted(bare):
        found.append("white space or a line end" if bare != slim else "quotes")
        bare = slim if bare != slim else bare[1:-1]
    return (" and ".join(dict.fromkeys(found)), Secret(bare)) if found and bare else None


def _quoted(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] and text[0] in QUOTES


async def tried(run: Run, observed: Observed, known: dict[str, Proof]) -> Observed:
    """The observation with a try of each value that the rules ask about; `known` is what this run has tried so far, and grows."""
    view = View(run.policy, replace(observed, tried=tuple(known.items())), run.intent)
    for version in worth_trying(view):
        removed = version in view.lingering
        if version.id not in known or (removed and view.accepted(version) is not False):
            known[version.id] = await try_out(run, version, removed=removed)
    return replace(observed, tried=tuple(sorted(known.items(), key=lambda each: each[0])))


async def try_out(run: Run, version: Version, *, removed: bool = False) -> Proof:
    """The proof of one version's value; that of a `removed` password until Entra refuses it.

    What can't be read wasn't reached.
    """
    try:
        value = await run.world.value(run.policy, version.id)
        return await (_taken(run, value) if removed else trial(run, value, ()))
    except (NotFound, Forbidden) as error:
        return Proof(Outcome.UNREACHABLE, f"its value may not be read: {error.happened}")
    except AzureError as error:
        return Proof(Outcome.UNREACHABLE, error.happened)


async def _taken(run: Run, value: Secret) -> Proof:
    """The first try of a removed password that Entra takes, or the last of so many that it doesn't: replicas learn of a removal one by one."""
    proof = await run.world.prove(run.policy, value, ())
    for _ in range(TRIES - 1):
        if proof.signed_in:
            break
        await run.clock.sleep(PAUSE)
        proof = await run.world.prove(run.policy, value, ())
    return proof
