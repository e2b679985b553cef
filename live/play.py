"""Play of the facts: each check in turn, with any result of the others."""

from collections.abc import Callable, Iterable, Iterator

from live.azure import Stopped
from live.claims import Claim, Finding, Outcome, Probe, shown_answer
from live.facts import CHECKS, UNSHOWN
from live.scene import Scene

UNEXPECTED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""Errors of a check whose answer has an unexpected shape."""


def finding(scene: Scene, fact: str) -> Finding:
    """Play the check of one fact to its end; return its claims."""
    if reason := UNSHOWN.get(fact):
        return Finding(fact, (Claim("not shown by an API", Outcome.NOT_SEEN, reason=reason),))
    probe = Probe(scene.hidden)
    try:
        CHECKS[fact](scene, probe)
    except Stopped as stopped:
        probe.unseen("the rest", str(stopped))
    except UNEXPECTED as error:
        last = scene.azure.last
        answer = shown_answer(last, scene.hidden) if last else None
        words = f"answers have the shape that the check reads ({type(error).__name__})"
        probe.claims.append(Claim(words, Outcome.DIFFERS, answer))
    return Finding(fact, tuple(probe.claims))


def findings(scene: Scene, facts: Iterable[str], tell: Callable[[Finding], None]) -> Iterator[Finding]:
    """Play the facts in turn, and report each at its end."""
    for fact in facts:
        found = finding(scene, fact)
        tell(found)
        yield found
