"""Plan in the JSON form: due steps with their batches, refusals, waits, notes and the proof."""

from typing import Any

from rotator.container_group import Dependent
from rotator.guard import Veto
from rotator.report.manifest import manifest_body, manifests
from rotator.report.plan import restarted, warnings
from rotator.report.words import instant
from rotator.results import Preview
from rotator.steps import Deploy, Note, Step, Wait, kind, target


def plan_body(preview: Preview) -> dict[str, Any]:
    """Return one policy's plan in the JSON form.

    `batch` counts from 1; steps of one batch are taken together.
    """
    steps = [_step_body(number, step) for number, batch in enumerate(preview.plan.batches, 1) for step in batch]
    return {
        "policy": preview.policy.name,
        "file": preview.policy.file,
        "at": instant(preview.observed.at),
        "looked": instant(preview.looked or preview.observed.at),
        "due": steps,
        "restarts": list(restarted(preview)),
        "groups": [_group_body(dependent) for dependent in preview.view.groups],
        "vetoes": [veto_body(veto) for veto in preview.vetoes],
        "waits": [_wait_body(wait) for wait in preview.plan.waits],
        "notes": [_note_body(note) for note in (*preview.plan.notes, *warnings(preview))],
        "manifests": [manifest_body(each) for each in manifests(preview)],
        "proof": _proof_body(preview),
        "next_due": instant(preview.next_due),
    }


def _proof_body(preview: Preview) -> dict[str, Any] | None:
    proof = preview.known.proof
    if proof is None:
        return None
    return {
        "outcome": proof.outcome.value,
        "detail": proof.detail,
        "missing": list(proof.missing),
        "registry_reached": proof.registry_reached,
    }


def _step_body(batch: int, step: Step) -> dict[str, Any]:
    body = {
        "batch": batch,
        "step": kind(step),
        "target": target(step),
        "code": step.reason.code,
        "reason": step.reason.text,
    }
    return {**body, "canary": step.canary} if isinstance(step, Deploy) else body


def veto_body(veto: Veto) -> dict[str, Any]:
    """Return a refusal in the JSON form."""
    return {
        "step": kind(veto.step),
        "target": target(veto.step),
        "code": veto.code,
        "happened": veto.happened,
        "remedy": veto.remedy,
    }


def _group_body(dependent: Dependent) -> dict[str, Any]:
    shown = {
        "group": dependent.id,
        "declared": dependent.declared,
        "phase": dependent.phase.value,
        "key_id": dependent.key_id,
    }
    return {**shown, "notes": list(dependent.notes)}


def _wait_body(wait: Wait) -> dict[str, Any]:
    times = {"until": instant(wait.until), "since": instant(wait.since)}
    return {"code": wait.code, "subject": wait.subject, "reason": wait.text, **times, "warn": wait.warn}


def _note_body(note: Note) -> dict[str, Any]:
    return {"code": note.code, "subject": note.subject, "text": note.text, "warn": note.warn}
