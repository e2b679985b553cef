"""Waits for the same, told as one: of a group that holds several credentials, or of several groups."""

import re
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
AnyWait = TypeVar("AnyWait", Wait, Waiting, Wait | Waiting)


def told(wait: Wait | Waiting) -> str:
    """Return the text of a wait."""
    return wait.text if isinstance(wait, Wait) else wait.reason


def alike(waits: Iterable[AnyWait]) -> list[list[AnyWait]]:
    """Return waits in their order, grouped where they differ in the name of a group, or in the credential, alone."""
    groups: dict[tuple[object, ...], list[AnyWait]] = {}
    for wait in waits:
        text = told(wait).replace(name_of(wait.subject), "@")
        constant = _OWN.sub("#", text) if wait.code in OF_CREDENTIALS else text
        groups.setdefault((wait.code, constant, wait.until, wait.warn), []).append(wait)
    return list(groups.values())


def same(others: Iterable[Wait | Waiting]) -> str:
    """Return the sentence about waits that are like one that is told; empty without any."""
    others = list(others)
    if not others:
        return ""
    names = ", ".join(dict.fromkeys(name_of(wait.subject) for wait in others))
    if others[0].code not in OF_CREDENTIALS:
        return f"The same of {names}."
    return f"The same of {len(others)} more credential{'s' if len(others) > 1 else ''}: {names}."
