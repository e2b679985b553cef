"""Ways out of waits: what a person does so that a group takes the current credential, or a credential can go.

Rules for editors of this file:

1. A late wait says why it is late, and ends with its way out: a sentence with a command, or with the line to write
   and its file.
2. A way out says what its command does to the group: restart, start, or another run of a job.
"""

from collections.abc import Iterator
from dataclasses import replace

from rotator.codes import NoteCode, WaitCode
from rotator.container_group import ANSWERS, Dependent, Phase, likely_line
from rotator.plan.obstacles_to_moves import effect, late, said_there
from rotator.plan.view import View
from rotator.remedy import export_group, rotator, stop_group
from rotator.steps import Finding, Note, Wait
from rotator.words import day

AT_WORK = (Phase.RUNNING, Phase.STARTING, Phase.CRASHING)
"""Phases of a job that has not ended."""
BY_DOCTOR = (
    *(WaitCode.UNREADABLE, WaitCode.NOT_WRITABLE, WaitCode.UNSEEN, WaitCode.UNREAD_TAGS, WaitCode.NOT_RENEWED),
    *(WaitCode.NOT_MOVED, WaitCode.ABSENT, WaitCode.MAY_BE_PUBLISHED, WaitCode.UNRESOLVED),
)
"""Waits whose cause `rotator doctor` finds."""
SAYS_WHY = (WaitCode.NOT_MOVED, WaitCode.BACKING_OFF, WaitCode.STRIPPED, WaitCode.FORWARD_ONLY)
"""Late waits whose own text says why they are late, or that are late for another reason."""
BY_RETRY = (WaitCode.TRANSITIONING, WaitCode.CANARY, WaitCode.HALTED, WaitCode.STRUGGLING, WaitCode.NOT_SETTLED)
"""Waits for a group that doesn't come up."""


def kind_unsaid(view: View) -> Iterator[Finding]:
    """Ask about groups that count as jobs and look like services: nothing but the policy can say which they are."""
    for dependent in view.dependents:
        if dependent.like_a_service and view.movable(dependent):
            evidence = " and ".join(dependent.like_a_service)
            text = (
                f"{dependent.name} counts as a job by its restart policy, and rotator never interrupts a running"
                f" job; but {evidence}, as a service"
            )
            yield Note(NoteCode.SERVICE_OR_JOB, dependent.id, f"{text}. Write which it is {_where(view, dependent)}")


def _where(view: View, dependent: Dependent) -> str:
    lines = "`runs: service` (it restarts with each rotation, in the deploy window) or `runs: job`"
    entry = "" if dependent.declared else f"`- id: {dependent.id}` and "
    return f"under {'it' if dependent.declared else '`container_groups:`'} in {view.policy.file}: {entry}{lines}"


def told(view: View, wait: Wait) -> Wait:
    """Return the wait with its way out, if the wait is late, or is for the end of a job that looks like a service.

    Of a late wait of a group, the text also says why it is late: what becomes of the group's credential.
    """
    dependent = next((each for each in view.dependents if each.id == wait.subject), None)
    endless = wait.code is WaitCode.JOB_RUNNING and dependent is not None and dependent.like_a_service
    if not wait.warn and not endless:
        return wait
    text = f"{wait.text}; {_why_late(view, dependent)}" if dependent and _late(view, wait, dependent) else wait.text
    remedy = wait.remedy or _way_out(view, wait, dependent)
    return replace(wait, text=f"{text}. {remedy}" if remedy else text)


def _late(view: View, wait: Wait, dependent: Dependent) -> bool:
    return wait.code not in SAYS_WHY and late(view, dependent)


def _why_late(view: View, dependent: Dependent) -> str:
    end = view.soonest(dependent)
    if end is None:
        return "its credential is gone, and its next pull fails"
    if dependent.key_id is None:
        ended = f"it may hold a credential that ended {day(end)}: its next pull then fails"
        return ended if end <= view.at else f"it may hold a credential that ends {day(end)}"
    return (
        f"its credential ended {day(end)}, and its next pull fails"
        if end <= view.at
        else f"its credential ends {day(end)}"
    )


def _way_out(view: View, wait: Wait, dependent: Dependent | None) -> str:
    if wait.code in BY_DOCTOR:
        return f"`{rotator('doctor', view.policy.name)}` names the cause, with the command that ends it"
    if wait.code in BY_RETRY:
        name = dependent.name if dependent else "the group"
        again = rotator("rotate", view.policy.name, retry=True)
        return f"Look at the events and logs of {name} and of the groups that it waits for; then `{again}` goes on"
    if wait.code is WaitCode.REFUSED:
        secret = view.policy.key_vault.password_secret
        return f"Deploy it by its own means, with the newest version of {secret}; that restarts it"
    if wait.code in (WaitCode.JOB_RUNNING, WaitCode.FORWARD_ONLY) and dependent:
        return deployed(view, dependent)
    return ""


def deployed(view: View, dependent: Dependent) -> str:
    """Return the way in which a person gives a group the current credential, with the effect on the group."""
    command = f"`{rotator('deploy', view.policy.name, dependent.name)}`"
    if dependent.run_once and dependent.phase in AT_WORK:
        ended = f"When it has ended, {command} runs it again with the current credential"
        stop = f"`{stop_group(dependent.id)}` ends it now, and then {command} starts it again"
        if dependent.group and dependent.group.runs:
            return f"{ended}; {stop}"
        service = f"If it is a service, write `runs: service` {_under(view, dependent)}, and rotator restarts it"
        return f"{service}. {ended}; {stop}"
    return f"{command} gives it the current credential {effect(dependent)}"


def owner_said(view: View, dependent: Dependent) -> str:
    """Return the lines that say whose password is in a group's hidden variables."""
    if owner := view.policy.owner(dependent.id):
        return said_there(view, dependent, owner)
    lines = ", ".join(f"`{likely_line(path)}`" for path in dependent.unsaid)
    return f"Write under `secrets:` {_under(view, dependent)} which it is; by the names: {lines}. {ANSWERS}"


def out_of_sight(view: View, dependent: Dependent) -> str:
    """Return the way to take a password out of a group's plain text."""
    command = f"`{export_group(dependent.id, f'{dependent.name}.yaml')}`"
    return (
        f"rotator changes no such text. {command} writes the group as a file, with that text, if there is none: move"
        " the password there into a secure variable, write `{credential: password}` for the variable under the group's"
        f" `secrets:` in {view.policy.file}, and deploy the file"
    )


def _under(view: View, dependent: Dependent) -> str:
    return f"under {'it' if dependent.declared else f'`- id: {dependent.id}`'} in {view.policy.file}"
