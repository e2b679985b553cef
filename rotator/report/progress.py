"""Progress of a run: at most one line per event, for a terminal or a log file."""

from dataclasses import dataclass, field
from datetime import timedelta

from rotator.events import (
    AccessRecorded,
    AppIdSaved,
    AssignmentCreated,
    AssignmentDeleted,
    CredentialAdded,
    CredentialRemoved,
    Event,
    Finished,
    GroupAccepted,
    GroupSettled,
    HostAnswered,
    HostAwaited,
    IdentityCreated,
    OwnerAdded,
    Pausing,
    Proving,
    PullRefused,
    StepDone,
    StepFailed,
    StepPostponed,
    StepStarted,
    UsernamePublished,
    VersionDisabled,
    VersionMarked,
    VersionPublished,
    Vetoed,
)
from rotator.report.words import WHOLE, constant, name_of
from rotator.visible import one_line
from rotator.words import day, days


def line(event: Event, *, everything: bool = True) -> str | None:
    """Return the line to print for an event during a run; None for an event left to the final report.

    Without `everything`, only beginnings, changes and failures get a line.
    """
    if isinstance(event, HostAwaited | HostAnswered):
        return one_line(host_wait(event))
    text = change(event) or (_course(event) if everything or not _expected(event) else None)
    return one_line(f"{event.policy}: {text}") if text else None


def host_wait(event: HostAwaited | HostAnswered) -> str:
    """Describe a wait for a host: since when, why, and until when."""
    if isinstance(event, HostAnswered):
        return f"{event.host} answers again, after {event.seconds} s"
    since, until = f" for {event.seconds} s", f" for {event.at_most} s more"
    if event.at:
        times = (event.at - timedelta(seconds=event.seconds), event.at + timedelta(seconds=event.at_most))
        since, until = (f" {word} {time:%H:%M:%S} UTC" for word, time in zip(("since", "until"), times, strict=True))
    return f"waiting for {event.host}{since}: {event.happened}; goes on waiting{until} at the latest"


@dataclass(slots=True)
class NewLines:
    """Lines of a run over many policies, of which each says something new.

    A cause that stops many policies is printed once; for the others, the line names the first policy. A run that ends
    without a change, or with the failure just printed, gets no other line.
    """

    said: set[str] = field(default_factory=set)
    """Policies with a line of their own."""
    stopped: set[str] = field(default_factory=set)
    """Policies whose whole run failed or was refused."""
    causes: dict[str, str] = field(default_factory=dict)
    """First policy of each failure and refusal, by the text without names and ids."""

    def line(self, event: Event) -> str | None:
        """Return the line for an event, or None if there is nothing new in it."""
        text = None if self._known(event) else line(event, everything=False)
        if text is None:
            return None
        self.said.add(event.policy)
        if isinstance(event, StepFailed | Vetoed):
            self.stopped |= {event.policy} if event.step in WHOLE else set()
            if (first := self.first(event)) != event.policy:
                return one_line(f"{event.policy}: {event.step} {name_of(event.target)}: the same as for {first}")
        return text

    def _known(self, event: Event) -> bool:
        """Tell if the end of a policy's run says nothing new."""
        unchanged = isinstance(event, Finished) and event.exit_code == 0 and event.policy not in self.said
        return unchanged or (isinstance(event, Finished) and event.policy in self.stopped)

    def first(self, event: StepFailed | Vetoed) -> str:
        """Return the first policy with this failure or refusal."""
        key = constant(f"{event.step} {event.happened}".replace(event.policy, "@"))
        return self.causes.setdefault(key, event.policy)


def _expected(event: Event) -> bool:
    return isinstance(event, StepDone) or (isinstance(event, Proving) and 0 < event.successes < event.times)


def change(event: Event) -> str | None:
    """Describe an event's change in Azure, in words; None without a change."""
    match event:
        case CredentialAdded(key_id=key_id, home=home, end=end):
            return f"added credential {key_id} to the {home.replace('_', ' ')}; it ends {day(end)}"
        case CredentialRemoved(key_id=key_id, home=home):
            return f"removed credential {key_id} from the {home.replace('_', ' ')}"
        case VersionPublished(version=version, key_id=key_id):
            return f"published credential {key_id} as version {version}"
        case VersionDisabled(version=version):
            return f"disabled version {version}"
        case VersionMarked(version=version, tag=tag, key_ids=key_ids):
            return f"marked version {version}: {tag}={','.join(key_ids)}"
        case GroupAccepted(group=group, key_id=key_id):
            return f"deployed {name_of(group)} with credential {key_id}"
        case _:
            return _access_change(event)


def _access_change(event: Event) -> str | None:
    match event:
        case AccessRecorded(access=access, assignments=count):
            return f"recorded access as {access}, with {count} role assignment{'' if count == 1 else 's'}"
        case AssignmentDeleted(scope=scope, was_there=was_there):
            return (
                f"deleted the role assignment on {name_of(scope)}"
                if was_there
                else f"the role assignment on {name_of(scope)} was already gone"
            )
        case AssignmentCreated(scope=scope, was_there=was_there):
            return (
                f"the role assignment on {name_of(scope)} was there"
                if was_there
                else f"created the role assignment on {name_of(scope)}"
            )
        case PullRefused(after=after):
            return f"a pull is refused, {after:.0f} s after the first try"
        case GroupSettled(group=group, verdict=verdict, detail=detail):
            return f"{name_of(group)} is {verdict.replace('_', ' ')}{detail and ': '}{detail}"
        case _:
            return _made(event)


def _made(event: Event) -> str | None:
    match event:
        case IdentityCreated(home=home, app_id=app_id):
            return f"created the {home.replace('_', ' ')} {app_id}"
        case OwnerAdded(home=home):
            return f"made rotator an owner of the {home.replace('_', ' ')}"
        case AppIdSaved(app_id=app_id, file=file):
            return f"wrote app_id {app_id} into {file}"
        case UsernamePublished(secret=secret):
            return f"published the user name as secret {secret}"
        case _:
            return None


def _course(event: Event) -> str | None:
    match event:
        case StepStarted(step=step, target=target, reason=reason):
            return f"{step} {name_of(target)}: {reason}"
        case StepDone(step=step, target=target, detail=detail):
            return f"{step} {name_of(target)}: done{detail and ', '}{detail}"
        case StepPostponed(step=step, target=target, happened=happened):
            return f"{step} {name_of(target)}: not certain yet, looking again: {happened}"
        case StepFailed(step=step, target=target, happened=happened):
            return f"{step} {name_of(target)}: failed: {happened}"
        case Vetoed(step=step, target=target, happened=happened):
            return f"{step} {name_of(target)}: refused: {happened}"
        case Finished(exit_code=code, summary=summary):
            return f"finished: {summary} (exit {code})"
        case _:
            return _between(event)


def _between(event: Event) -> str | None:
    match event:
        case Proving(successes=successes, times=times, outcome=outcome, detail=detail):
            return f"proof {successes}/{times}: {outcome.replace('_', ' ')}{detail and ', '}{detail}"
        case Pausing(reason=reason, seconds=seconds):
            return f"waiting{'' if seconds is None else f' up to {_span(seconds)}'}: {reason}"
        case _:
            return None


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else days(timedelta(seconds=seconds))
