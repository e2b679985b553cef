"""Waits for the same, told as one: of a group that holds several credentials, or of several groups."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from rotator.codes import WaitCode
from rotator.events import Waiting
from rotator.report.words import name_of
from rotator.resource_id import GUID
from rotator.steps import Wait

OF_CREDENTIALS = (
    *(WaitCode.HELD, WaitCode.UNSAID, WaitCode.UNSEEN, WaitCode.UNREAD_TAGS),
    *(WaitCode.MAY_BE_PUBLISHED, WaitCode.STRUGGLING),
)
"""Waits with a credential as their subject, one for each that stays."""
_OWN = re.compile(rf"{GUID}|\d{{4}}-\d\d-\d\d \d\d:\d\d UTC", re.IGNORECASE)
"""Pattern of the ids and times in which waits of several credentials differ."""
_HOLDS = re.compile(r" stays: (\S+) (?:may hold|holds) it\b")
AnyWait = TypeVar("AnyWait", Wait, Waiting, Wait | Waiting)


def told(wait: Wait | Waiting) -> str:
    """Return the text of a wait."""
    return wait.text if isinstance(wait, Wait) else wait.reason


def alike(waits: Iterable[AnyWait]) -> list[list[AnyWait]]:
    """Return waits in their order, grouped where they differ in the name of a group, or in the credential, alone.

    A credential that several groups hold is reported once, with the names of all groups.
    """
    waits = list(waits)
    holders = Counter(wait.subject for wait in waits if _holder(wait))
    groups: dict[tuple[object, ...], list[AnyWait]] = {}
    for wait in waits:
        subject = wait.subject if holders[wait.subject] > 1 and _holder(wait) else ""
        constant = _without(_holder(wait), told(wait)) if subject else _constant(wait)
        groups.setdefault((wait.code, subject, constant, wait.until, wait.warn), []).append(wait)
    return list(groups.values())


def _constant(wait: Wait | Waiting) -> str:
    text = told(wait).replace(name_of(wait.subject), "@")
    return _OWN.sub("#", text) if wait.code in OF_CREDENTIALS else text


def _holder(wait: Wait | Waiting) -> str:
    """Return the name of the group that holds a credential; empty for a wait for something else."""
    found = _HOLDS.search(told(wait)) if wait.code is WaitCode.HELD else None
    return found[1] if found else ""


def _without(name: str, text: str) -> str:
    return re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "@", text)


def same(first: Wait | Waiting, others: Iterable[Wait | Waiting]) -> str:
    """Return the sentence about waits that are like the first, whose text is shown; empty without any."""
    others = list(others)
    if not others:
        return ""
    of_groups = _holder(first) and all(wait.subject == first.subject for wait in others)
    names = ", ".join(dict.fromkeys(_holder(wait) if of_groups else name_of(wait.subject) for wait in others))
    if of_groups or first.code not in OF_CREDENTIALS:
        return f"The same of {names}."
    return f"The same of {len(others)} more credential{'s' if len(others) > 1 else ''}: {names}."
