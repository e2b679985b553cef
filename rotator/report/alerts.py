"""Alerts for people, made from the end of a run: what needs a person, told once in a while and not at each run.

No record of earlier alerts decides anything. An alert's id is a hash over the policy, the code, the subject and
a period of Azure's time, so equal alerts of one period have equal ids, on every machine. Receivers, and the list of
delivered ids, tell new from known by the id.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rotator.codes import NoteCode
from rotator.errors import Mistake, PolicyError, RotatorError
from rotator.events import Event, Noted, StepFailed, Vetoed, Waiting
from rotator.policy import Unserved
from rotator.remedy import clear_queue, rotator
from rotator.report.many import FEW
from rotator.report.plan import readable
from rotator.report.status import Row, Urgency, wait_remarks
from rotator.report.waits import alike
from rotator.report.words import WHOLE, constant, name_of
from rotator.results import Enqueued
from rotator.words import day, days

CRITICAL, WARNING = "critical", "warning"
REPEAT = {CRITICAL: timedelta(hours=6), WARNING: timedelta(days=1)}
"""Period of an alert that stands: with each period the id changes, and the alert is sent again."""
DAYS_LEFT = (1, 2, 3, 7, 14, 30)
"""Days before the end of a credential: at each of them the alert is sent again."""
URGENT = timedelta(days=3)
"""Time before the end of a credential from which its alert is critical."""
FAILED, EXPIRING, NOT_SERVED = "failed", "expiring", "not_served"
"""Codes of a failure, a credential near its end, and a policy with mistakes; other codes are those of the events."""
STATE = "As the report of the run says."
OPEN = "Anyone who knows this password can still pull images with it."


@dataclass(frozen=True, slots=True)
class Ended:
    """End of one policy's run: exit code, events, and the line of `status` for the last look, if there was a look."""

    policy: str
    app_id: str
    warn_before: timedelta
    exit_code: int
    row: Row | None = None
    events: tuple[Event, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """Key ids of compromised credentials that still work, by the last look or by the run's own tries."""
        told = {each.subject for each in self.events if isinstance(each, Noted) and each.code is NoteCode.STILL_OPEN}
        return tuple(sorted(told | set(self.row.compromised if self.row else ())))


@dataclass(frozen=True, slots=True)
class Alert:
    """Alert for a person, about one policy, or several with the same trouble.

    `at` is Azure's time, where known, else this machine's. `until`: end of the credential, in an alert about an end.
    """

    id: str
    code: str
    severity: str
    policies: tuple[str, ...]
    subject: str
    happened: str
    state: str
    remedy: str
    at: datetime
    until: datetime | None = None


def alerts_of(ended: Iterable[Ended], now: datetime) -> tuple[Alert, ...]:
    """Return the alerts of a command's runs, the gravest first; the same trouble of several policies is one alert."""
    found = {alert.id: alert for one in ended for alert in (*_ending(one), *_events(one, now))}
    return tuple(sorted(_folded(found.values()), key=lambda alert: (alert.severity != CRITICAL, alert.policies)))


def refused(error: RotatorError, now: datetime, policies: Sequence[str] = ()) -> Alert:
    """Return the alert of a command that ended before it looked at any policy, or at any of these."""
    found, kind = error.diagnose(), type(error).__name__
    said = (found.happened, found.state, found.remedy)
    return replace(_periodic(tuple(policies) or ("rotator",), "", FAILED, kind, said, now), subject="rotator")


def not_served(unserved: Iterable[Unserved], now: datetime) -> tuple[Alert, ...]:
    """Return the alerts of policies left out because of mistakes; one that several have is one alert."""
    concerned: dict[Same, dict[str, Mistake]] = {}
    for one in unserved:
        for mistake in one.mistakes:
            concerned.setdefault((mistake.path, mistake.problem, mistake.remedy), {})[one.name] = mistake
    shared: dict[tuple[str, ...], list[Mistake]] = {}
    for found in concerned.values():
        shared.setdefault(tuple(sorted(found)), []).append(_with_places(list(found.values())))
    return tuple(_mistaken(names, mistakes, now) for names, mistakes in shared.items())


Same = tuple[str, str, str]
"""Path, problem and remedy, by which a mistake is the same in several files."""


def _with_places(found: Sequence[Mistake]) -> Mistake:
    """Return the first of equal mistakes; its problem says in how many other files it is."""
    first, *_ = found
    others = len({mistake.file for mistake in found}) - 1
    return replace(first, problem=f"{first.problem} (and in {others} more files)") if others else first


def moved_aside(found: Enqueued, now: datetime) -> tuple[Alert, ...]:
    """Return the alert of messages moved aside because their runs failed again and again, if there are any."""
    if not found.poisoned:
        return ()
    account, _, name = found.where.removeprefix("https://").partition("/")
    happened = "the runs failed again and again, and their messages were moved aside"
    remedy = f"Find out why they fail; then `{clear_queue(account.partition('.')[0], f'{name}-poison')}`."
    said = (happened, "Each survey adds the policies to the queue again.", remedy)
    return (_periodic(found.poisoned, "", NoteCode.POISONED, found.where, said, now),)


def _mistaken(names: tuple[str, ...], mistakes: Sequence[Mistake], now: datetime) -> Alert:
    few = "The policy is not served: nothing of it is rotated."
    state = few if len(names) == 1 else f"These {len(names)} policies are not served: nothing of them is rotated."
    said = ("; ".join(map(str, mistakes)), state, PolicyError.remedy)
    if len(names) == 1:
        return _periodic(names, "", NOT_SERVED, names[0], said, now)
    problems = "\n".join(sorted(f"{mistake.path}: {constant(mistake.problem)}" for mistake in mistakes))
    return replace(_periodic(("fleet",), "", NOT_SERVED, problems, said, now), policies=names, subject="fleet")


def _ending(one: Ended) -> Iterator[Alert]:
    """Yield the alert of a credential in use that ends within the policy's `warn_before`, or has ended."""
    row = one.row
    if not (row and row.at and row.soonest) or row.standing is Urgency.REVOKED:
        return
    left, names = row.soonest - row.at, (one.policy,)
    if left > one.warn_before:
        return
    severity, subject = CRITICAL if left <= URGENT else WARNING, f"{row.soonest:%Y-%m-%dT%H:%M:%SZ}"
    remedy = f"`{rotator('plan', one.policy)}` shows the due steps and their obstacles."
    if left <= timedelta():
        said = ("a credential in use has ended", "Running containers go on; the next pull with it fails.", remedy)
        made = _periodic(names, one.app_id, EXPIRING, subject, said, row.at, severity)
    else:
        reached = next((many for many in DAYS_LEFT if left <= timedelta(days=many)), max(DAYS_LEFT))
        said = (f"a credential in use ends {day(row.soonest)}, in {days(left)}", "It still works.", remedy)
        made = _made(names, one.app_id, EXPIRING, subject, said, row.at, severity, str(reached))
    yield replace(made, until=row.soonest)


def _events(one: Ended, now: datetime) -> Iterator[Alert]:
    plan = f"`{rotator('plan', one.policy)}` shows what is due and why."
    for event in one.events:
        at = _time(one, event, now)
        match event:
            case StepFailed(step=step, target=target, happened=text, state=state, remedy=remedy):
                whole = text if step in WHOLE else f"{step} {name_of(target)}: {text}"
                yield _about(one, FAILED, f"{step} {target}", (whole, state, remedy), at)
            case Vetoed(step=step, target=target, code=code, happened=text, state=state, remedy=remedy):
                whole = text if step in WHOLE else f"{step} {name_of(target)} was refused: {text}"
                yield _about(one, code, f"{step} {target}", (whole, state, remedy), at)
            case Noted(warn=True, code=NoteCode.STILL_OPEN as code, subject=subject, text=text):
                moved = f"`{rotator('plan', one.policy)}` shows the command for each container group that holds it."
                yield _about(one, code, subject, (readable(text), OPEN, moved), at, CRITICAL)
            case Noted(warn=True, code=code, subject=subject, text=text):
                yield _about(one, code, subject, (readable(text), STATE, plan), at)
    late = [event for event in one.events if isinstance(event, Waiting) and event.warn]
    for first, *others in alike(late):
        subject = ", ".join(sorted({str(each.subject) for each in (first, *others)}))
        (text,) = wait_remarks([first, *others])
        yield _about(one, first.code, subject, (text, STATE, plan), _time(one, first, now))


def _time(one: Ended, event: Event, now: datetime) -> datetime:
    return event.at or (one.row and one.row.at) or now


Said = tuple[str, str, str]
"""Error, present state, next action: the paragraphs of a `Diagnosis`."""


def _about(one: Ended, code: str, subject: str, said: Said, at: datetime, severity: str = WARNING) -> Alert:
    return _periodic((one.policy,), one.app_id, code, subject, said, at, severity)


def _periodic(
    policies: tuple[str, ...],
    app_id: str,
    code: str,
    subject: str,
    said: Said,
    at: datetime,
    severity: str = WARNING,
) -> Alert:
    """Return an alert repeated with the period of its severity."""
    period = int(at.timestamp() // REPEAT[severity].total_seconds())
    return _made(policies, app_id, code, subject, said, at, severity, str(period))


def _made(
    policies: tuple[str, ...],
    app_id: str,
    code: str,
    subject: str,
    said: Said,
    at: datetime,
    severity: str,
    period: str,
) -> Alert:
    who = app_id.lower() or "\n".join(policies)
    named = f"{who}\0{code}\0{subject.lower()}\0{severity}\0{period}"
    return Alert(hashlib.sha256(named.encode()).hexdigest()[:32], code, severity, policies, subject, *said, at)


def _folded(found: Iterable[Alert]) -> Iterator[Alert]:
    """Yield each alert; of runs that failed for the same reason, such as a failed sign-in, one alert for all.

    So, too, of more than `FEW` policies with the same trouble.
    """
    alike: dict[Cause, list[Alert]] = {}
    for alert in found:
        alike.setdefault(_cause(alert), []).append(alert)
    for cause, same in alike.items():
        if len(same) > (1 if _whole(same[0]) else FEW):
            yield _one(cause, sorted(same, key=lambda alert: alert.policies))
        else:
            yield from same


Cause = tuple[str, str, str]
"""Code, severity and text of an alert, without names, ids and times."""


def _cause(alert: Alert) -> Cause:
    """Return by what alerts are the same; a credential that is declared compromised is never one of many."""
    if _whole(alert):
        return alert.code, alert.severity, constant(alert.happened)
    text = alert.happened
    for name in (name_of(alert.subject.rpartition(" ")[2]), *alert.policies):
        text = text.replace(name, "@") if name else text
    return alert.code, alert.severity, alert.id if alert.code == NoteCode.STILL_OPEN else constant(text)


def _whole(alert: Alert) -> bool:
    return alert.code == FAILED and alert.subject.partition(" ")[0] in WHOLE


def _one(cause: Cause, same: Sequence[Alert]) -> Alert:
    """Return one alert about the same trouble of several policies."""
    code, severity, reason = cause
    first, more = same[0], "" if _whole(same[0]) else f" (and the same of {len(same) - 1} others)"
    names = tuple(dict.fromkeys(name for alert in same for name in alert.policies))
    said = (f"{first.happened}{more}", first.state, first.remedy)
    period = str(int(first.at.timestamp() // REPEAT[WARNING if code == EXPIRING else severity].total_seconds()))
    one = _made(("fleet",), "", code, reason, said, first.at, severity, period)
    until = min((alert.until for alert in same if alert.until), default=None)
    return replace(one, policies=names, subject="fleet", until=until)
