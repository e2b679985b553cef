"""Tries values of the published secret.

One refusal by one replica is no proof. A password correct except for surrounding characters is reported.
"""

import base64
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from rotator.engine.run import Run, Seen
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.plan import worth_trying
from rotator.secret import ENTRA_SECRET
from rotator.state import BASE64, OTHER_TEXT, URL, Outcome, Proof, Secret, Version

TRIES, PAUSE = 3, 5.0
"""Tries of one value, and seconds between them: one replica's hiccup is no reason to veto."""
QUOTES = ("'", '"', "`")
SPACE = " \t\r\n\v\f\u00a0\ufeff\u200b"
"""White space, also what Unicode and editors add: a no-break space, a byte order mark, a space without width."""
SETTLED = (Outcome.PROVEN, Outcome.EXPIRED)
"""Outcomes that no second try changes."""


async def try_value(run: Run, value: Secret, images: Sequence[str]) -> Proof:
    """Return the proof of a value after up to three tries.

    A refused value is tried again without surrounding white space or quotes.
    """
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
    detail = (
        f"the password is right, but the value has {what} around it; Microsoft Entra ID accepts only the password"
        " itself"
    )
    return replace(refused, detail=detail, around=what) if what else refused


async def surrounding(run: Run, value: Secret) -> str:
    """Return the name of the characters around a value accepted by Entra only without them; else an empty text."""
    found = around(value)
    return found[0] if found and (await run.world.prove(run.policy, found[1], ())).signed_in else ""


def around(value: Secret) -> tuple[str, Secret] | None:
    """Return the name of stray characters around a value, and the bare value; None if there are none.

    Stray characters are white space or quotes left by an editor, a shell or a template, and any text around what looks
    like a password of Entra: one quote alone, a comma, the line or the JSON that it was copied from. Such a password in
    base64, or as a part of a URL, counts, too.
    """
    found: list[str] = []
    bare = value.reveal()
    while bare != (slim := bare.strip(SPACE)) or _quoted(bare):
        found.append("white space or a line end" if bare != slim else "quotes")
        bare = slim if bare != slim else bare[1:-1]
    if (inner := ENTRA_SECRET.search(bare)) and inner[0] != bare:
        found, bare = [OTHER_TEXT], inner[0]
    elif plain := _decoded(bare):
        found, bare = [plain[0]], plain[1]
    return (" and ".join(dict.fromkeys(found)), Secret(bare)) if found and bare else None


def _decoded(text: str) -> tuple[str, str] | None:
    """Return the name of an encoding, and the password of Entra in it; None for another text."""
    try:
        inside = base64.b64decode(text, validate=True).decode().strip(SPACE)
    except ValueError:
        inside = ""
    for name, plain in ((URL, unquote(text)), (BASE64, inside)):
        if plain != text and ENTRA_SECRET.fullmatch(plain):
            return name, plain
    return None


def _quoted(text: str) -> bool:
    return text[:1] in QUOTES and text[:1] == text[-1:]


async def tried(run: Run, seen: Seen) -> tuple[tuple[str, Proof], ...]:
    """Return a try of each value needed by the rules, by version id, with the earlier tries of this run."""
    view, found = run.view(seen), dict(seen.known.tried)
    for version in worth_trying(view):
        removed = version in view.lingering
        if version.id not in found or (removed and view.accepted(version) is not False):
            found[version.id] = await try_out(run, version, removed=removed)
    return tuple(sorted(found.items(), key=lambda each: each[0]))


async def try_out(run: Run, version: Version, *, removed: bool = False) -> Proof:
    """Return the proof of one version's value; of a `removed` password, tried until Entra refuses it.

    An unreadable value counts as unreachable.
    """
    try:
        value = await run.world.value(run.policy, version.id)
        return await (try_removed(run, value) if removed else try_value(run, value, ()))
    except (NotFound, Forbidden) as error:
        return Proof(Outcome.UNREACHABLE, f"rotator may not read its value: {error.happened}")
    except AzureError as error:
        return Proof(Outcome.UNREACHABLE, error.happened)


async def try_removed(run: Run, value: Secret) -> Proof:
    """Return the first try of a removed password accepted by Entra, or else the last try.

    Several tries are needed: replicas learn of a removal one by one.
    """
    proof = await run.world.prove(run.policy, value, ())
    for _ in range(TRIES - 1):
        if proof.signed_in:
            break
        await run.clock.sleep(PAUSE)
        proof = await run.world.prove(run.policy, value, ())
    return proof
