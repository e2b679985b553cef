"""Plan as text for people: due steps and reasons, restarts, refusals, waits and their ends."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from rotator.codes import NoteCode, ReasonCode
from rotator.container_group import Dependent, brief, moved_tags
from rotator.errors import BY_THIS_STEP, RotatorError
from rotator.events import Noted, Waiting
from rotator.plan import headline
from rotator.policy import RegistryProof
from rotator.report.manifest import manifest_entries
from rotator.report.many import Rank, Telling, own_names
from rotator.report.waits import alike, same, told
from rotator.report.words import block, entry, failed_text, name_of, refusal
from rotator.results import Preview
from rotator.state import Home
from rotator.steps import (
    TO_COME,
    Create,
    Deploy,
    Disable,
    Grant,
    Issue,
    Note,
    Own,
    Publish,
    Reason,
    Restore,
    Retire,
    Save,
    Step,
    Wait,
    kind,
    target,
)
from rotator.visible import one_line
from rotator.words import day, days


def plan_code(preview: Preview, *, when_due: int = 0) -> int:
    """Return the exit code of one policy's plan: 1, 3, `when_due` or 0, the first that applies.

    1: a wait past its warning, or a note with a warning. 3: a veto. `when_due`: due steps.
    """
    notes = (*preview.plan.notes, *warnings(preview))
    if any(wait.warn for wait in preview.plan.waits) or any(note.warn for note in notes):
        return 1
    if preview.vetoes:
        return 3
    return when_due if preview.plan.steps else 0


def plan_text(preview: Preview) -> str:
    """Return one policy's plan as paragraphs.

    A compromised credential still able to sign in comes first.
    """
    told = (f"{preview.policy.name}: {headline(note.text)}" for note in _open(preview))
    return "\n".join(
        [
            *told,
            block(f"{preview.policy.name} ({preview.policy.file}), seen {day(preview.observed.at)}", _entries(preview)),
        ]
    )


def plan_part(name: str, seen: Preview | RotatorError) -> Telling:
    """Return one policy's plan, or the error of its look, for a report about many."""
    if isinstance(seen, RotatorError):
        return Telling(name, "failed", Rank.PERSON, lambda: failed_text(name, seen))
    state, rank = _state(seen)
    return Telling(
        name, state, rank, lambda: plan_text(seen), seen.next_due, bool(seen.plan.steps), own_names(seen.policy)
    )


def _state(preview: Preview) -> tuple[str, Rank]:
    match plan_code(preview, when_due=5):
        case 1:
            return "overdue or with a warning", Rank.PERSON
        case 3:
            return "refused", Rank.PERSON
        case 5:
            return "due", Rank.WORK
    return ("waiting" if preview.plan.waits else "at rest"), Rank.REST


def alarmed(preview: Preview) -> bool:
    """Tell if a credential declared compromised still works."""
    return bool(_open(preview))


def _open(preview: Preview) -> tuple[Note, ...]:
    return tuple(note for note in preview.plan.notes if note.code is NoteCode.STILL_OPEN)


def _entries(preview: Preview) -> Iterator[str]:
    steps = preview.plan.steps
    yield from map(note_text, _open(preview))
    if not steps:
        yield entry("due now", "nothing")
    if preview.looked:
        yield entry("at rest", lists_text(preview.looked))
    for number, step in enumerate(steps, 1):
        yield entry(
            "due now" if number == 1 else "", f"{number}. {step_text(step)}", f"   {readable(step.reason.text)}"
        )
    if restarts := [name_of(group) for group in restarted(preview)]:
        yield entry("restarts", f"{', '.join(restarts)}: {'once each' if len(restarts) > 1 else 'once'}")
    for veto in preview.vetoes:
        diagnosis = refusal(
            f"{kind(veto.step)} {name_of(target(veto.step))}: {veto.happened}",
            BY_THIS_STEP,
            veto.remedy,
        )
        yield entry("refused", *diagnosis)
    yield from wait_texts(preview.plan.waits)
    yield from (
        note_text(note) for note in (*preview.plan.notes, *warnings(preview)) if note.code is not NoteCode.STILL_OPEN
    )
    yield from (entry("note", f"{name}: {text}") for name, text in _about(preview))
    yield from manifest_entries(preview)
    yield from _proof_text(preview)
    yield entry("next due", _next_due(preview))


def _next_due(preview: Preview) -> str:
    """Return the time of the next due step in words; one that is refused is due now."""
    if preview.next_due is None:
        return "not by itself"
    return day(preview.next_due) if preview.next_due > preview.observed.at else "now"


def lists_text(looked: datetime) -> str:
    """Return the sources of a plan made from the services' lists, with the time of the last full look, in words."""
    return f"by the services' lists; each container group and older version was last read {day(looked)}"


def readable(text: str) -> str:
    """Return a reason with words in place of the placeholder for a credential not yet issued."""
    text = re.sub(rf"the current {TO_COME}(-\d+)?", "the new one", text)
    text = re.sub(rf"credential {TO_COME}(-\d+)?", "the new credential", text)
    return one_line(re.sub(rf"\b{TO_COME}(-\d+)?", "the new one", text))


def step_text(step: Step) -> str:
    """Return a step in words, without the reason."""
    match step:
        case Issue(home=home, end=end):
            return (
                f"issue a new credential on the {home.value.replace('_', ' ')}, valid for {days(end)}: add, prove,"
                " publish"
            )
        case Deploy(group=group, reason=Reason(code=ReasonCode.ABSENT_GROUP)):
            return f"deploy {name_of(group)}"
        case Deploy(group=group, canary=canary):
            return f"redeploy {name_of(group)}{', alone and first' if canary else ''}"
        case Restore(group=group, key_id=key_id):
            return f"put {name_of(group)} back on credential {key_id}"
        case Retire(key_id=key_id, home=home):
            return readable(f"remove credential {key_id} from the {home.value.replace('_', ' ')}")
        case Disable(version=version):
            return f"disable version {version} of the secret"
        case _:
            return _made_text(step)


def _made_text(step: Step) -> str:
    """Return in words a step of provision, grant or revoke."""
    match step:
        case Create(home=Home.APPLICATION, name=name):
            return f"create an application called {name}"
        case Create():
            return "make its service principal"
        case Save(file=file):
            return f"write its app id into {file}"
        case Own(home=home):
            return f"make rotator an owner of the {home.value.replace('_', ' ')}"
        case Publish(secret=secret):
            return f"publish the user name as secret {secret}"
        case Grant(assignment=assignment):
            return f"give the principal a role on {name_of(assignment.scope)}"
        case _:
            return f"{kind(step)} {target(step)}"


def wait_texts(waits: Iterable[Wait | Waiting]) -> Iterator[str]:
    """Yield waits in words, with their ends; of those for the same the first, and the others' names."""
    for first, *others in alike(waits):
        text = told(first)
        end = f"until {day(first.until)}: " if first.until and day(first.until) not in text else ""
        yield entry(
            "overdue" if first.warn else "waits", f"{end}{readable(text)}", *filter(None, [same(first, others)])
        )


def note_text(note: Note | Noted) -> str:
    """Return a note or a warning as a labelled paragraph."""
    return entry("warning" if note.warn else "note", readable(note.text))


def restarted(preview: Preview) -> tuple[str, ...]:
    """Return the container groups that the plan restarts, each once."""
    return tuple(dict.fromkeys(step.group for step in preview.plan.steps if isinstance(step, Deploy | Restore)))


def _about(preview: Preview) -> Iterator[tuple[str, str]]:
    """Yield notes about groups to be restarted, and about groups without a need for rotation."""
    restarts = set(restarted(preview))
    for dependent in preview.view.groups:
        if dependent.id in restarts or not dependent.needs_rotation:
            yield from ((dependent.name, text) for text in dependent.notes)
        if dependent.id in restarts:
            yield from ((dependent.name, text) for text in _images(preview, dependent))


def _images(preview: Preview, dependent: Dependent) -> Iterator[str]:
    """Yield the moved image tags: a restart pulls the image now under the tag."""
    served = dict(preview.known.proof.digests) if preview.known.proof else {}
    document = next((group.document for group in preview.observed.groups if group.id == dependent.id), None)
    for image, runs, now in moved_tags(document, served):
        yield (
            f"{image} has another digest now ({brief(now)}) than the running image ({brief(runs)}), and a"
            " redeployment pulls it"
        )


def warnings(preview: Preview) -> tuple[Note, ...]:
    """Return warnings about steps taken in spite of a closed window or drift."""
    warned = (step for step in preview.plan.steps if isinstance(step, Deploy | Issue) and step.warning)
    return tuple(
        Note(
            NoteCode.WINDOW_IGNORED if isinstance(step, Deploy) else NoteCode.DRIFT,
            target(step),
            step.warning,
            warn=True,
        )
        for step in warned
    )


def _proof_text(preview: Preview) -> Iterator[str]:
    proof = preview.known.proof
    if proof is None:
        return
    if not proof.ok:
        yield entry(
            "proof",
            "the current value was tried:"
            f" {proof.outcome.value.replace('_', ' ')}{proof.detail and ', '}{proof.detail}",
        )
    if not proof.registry_reached and preview.policy.proof.registry is RegistryProof.OPTIONAL:
        yield entry(
            "warning", "the registry can't be reached from here: pulls are not proven (`proof: {registry: optional}`)"
        )
    for image in proof.missing:
        yield entry("warning", proof.absence(image))
