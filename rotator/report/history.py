"""Past rotations of a policy, read from the versions of its secret.

For each version: the published credential and its time in service. Versions written by others are included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotator.codes import NoteCode, WaitCode
from rotator.plan import View
from rotator.policy import Policy
from rotator.report.columns import tabulated
from rotator.report.words import instant
from rotator.results import Preview
from rotator.state import ATTEMPT, HOME, Home, Observed, Version
from rotator.steps import Intent, Note, Plan, Wait
from rotator.visible import one_line
from rotator.words import days

HEADINGS = ("PUBLISHED (UTC)", "CREDENTIAL", "HOME", "SERVED", "ENDS", "MARKS")
NONE = "-"
ALARMS = (NoteCode.STILL_OPEN, WaitCode.SECRET_DELETED, WaitCode.VERSIONS_LAG)
"""Findings without which a list of versions would mislead."""


@dataclass(frozen=True, slots=True)
class PastVersion:
    """One version and its time as the newest: until the next version was published, or until now.

    `ours`: published by rotator; a foreign version may have been adopted. `ends`: the end of the credential, as Graph
    shows or as the version's tags record. `live`: the credential still authenticates, as far as Graph shows. `marks`
    are in a fixed order.
    """

    version: Version
    ours: bool
    until: datetime
    current: bool
    live: bool | None
    ends: datetime | None
    marks: tuple[str, ...] = ()

    @property
    def served(self) -> float:
        """Seconds of service to readers."""
        return (self.until - self.version.created).total_seconds()


def chapters(policy: Policy, observed: Observed) -> tuple[PastVersion, ...]:
    """Return the whole history, newest first."""
    view = View(policy, observed, Intent())
    ends = [*(version.created for version in view.versions[1:]), observed.at]
    told = (_chapter(view, version, until) for version, until in zip(view.versions, ends, strict=False))
    return tuple(reversed(tuple(told)))


def alarms(plan: Plan) -> tuple[Wait | Note, ...]:
    """Return the findings that a list of versions can't show: a compromise, or versions that can't be read."""
    findings: tuple[Wait | Note, ...] = (*plan.notes, *plan.waits)
    return tuple(each for each in findings if each.warn and each.code in ALARMS)


def history_text(seen: Preview, *, every: bool = False, width: int | None = None) -> str:
    """Return a line for each version, or a block if the lines are longer than `width`; `every`: with its ids.

    Alarms come first.
    """
    policy, found = seen.policy, chapters(seen.policy, seen.observed)
    rotations = sum(each.ours for each in found)
    name = policy.key_vault.password_secret
    head = (
        f"{policy.name}: {rotations} rotation{'' if rotations == 1 else 's'} in {len(found)}"
        f" version{'' if len(found) == 1 else 's'} of {name}"
    )
    table = tabulated(HEADINGS, [_cells(each) for each in found], width, title="published {} UTC") if found else [[]]
    lines = list(table[0])
    for each, row in zip(found, table[1:], strict=True):
        lines += [*row, *(_ids(each, wide=len(row) == 1) if every else ())]
    return "\n".join([*(one_line(f"{policy.name}: {each.text}") for each in alarms(seen.plan)), head, *lines])


def _ids(each: PastVersion, *, wide: bool) -> Iterator[str]:
    ids = ("version", each.version.id), ("attempt", each.version.tag(ATTEMPT) or NONE)
    if wide:
        yield one_line("    " + ", ".join(f"{name} {text}" for name, text in ids))
    else:
        yield from (one_line(f"  {name.ljust(10)}  {text}") for name, text in ids)


def history_body(seen: Preview) -> dict[str, Any]:
    """Return the history in the JSON form; `served` is in seconds."""
    return {
        "policy": seen.policy.name,
        "at": instant(seen.observed.at),
        "alarms": [{"code": each.code, "subject": each.subject, "reason": each.text} for each in alarms(seen.plan)],
        "versions": [_body(each) for each in chapters(seen.policy, seen.observed)],
    }


def _chapter(view: View, version: Version, until: datetime) -> PastVersion:
    credential = view.credentials.get(version.key_id or "")
    current = version == view.current_version
    live = credential.live(view.at) if credential else (False if version.key_id and _home_seen(view, version) else None)
    exposed = version.key_id in view.compromised
    marks = _marks(version, current=current, newest=version == view.newest, live=live, exposed=exposed)
    return PastVersion(
        version, version.ours, until, current, live, credential.end if credential else version.expires, marks
    )


def _home_seen(view: View, version: Version) -> bool:
    """Tell if Graph shows the object holding a version's credential.

    If Graph doesn't show the object, the state of the credential is unknown.
    """
    principal, home = view.observed.principal, version.tag(HOME)
    objects = {Home.APPLICATION.value: principal.application, Home.SERVICE_PRINCIPAL.value: principal.service_principal}
    return all(objects.values()) if home not in objects else objects[home] is not None


def _marks(version: Version, *, current: bool, newest: bool, live: bool | None, exposed: bool) -> tuple[str, ...]:
    found = (
        ("current", current),
        ("not ours", not version.ours and not version.adopted),
        ("on top of ours", newest and not version.ours and not version.adopted),
        ("adopted", bool(version.adopted)),
        ("compromised", exposed),
        ("disabled", not version.enabled),
        ("gone", live is False),
        ("not seen", live is None and version.key_id is not None),
    )
    return tuple(mark for mark, is_so in found if is_so)


def _cells(each: PastVersion) -> tuple[str, ...]:
    version = each.version
    home = (version.tag(HOME) or NONE).replace("_", " ")
    return (
        f"{version.created:%Y-%m-%d %H:%M}",
        version.key_id or NONE,
        home,
        days(each.until - version.created),
        f"{each.ends:%Y-%m-%d}" if each.ends else NONE,
        ", ".join(each.marks),
    )


def _body(each: PastVersion) -> dict[str, Any]:
    version = each.version
    return {
        "version": version.id,
        "published": instant(version.created),
        "ours": each.ours,
        "key_id": version.key_id,
        "home": version.tag(HOME),
        "attempt": version.tag(ATTEMPT),
        "ends": instant(each.ends),
        "until": instant(each.until),
        "served": each.served,
        "current": each.current,
        "live": each.live,
        "enabled": version.enabled,
        "adopted": list(version.adopted),
        "compromised": list(version.compromised),
    }
