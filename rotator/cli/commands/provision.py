"""``rotator provision``: make the principal, roles, secrets and groups of a policy, as in the documentation."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Container, Leases, MaxDuration, Name, Yes, ask, command, span

if TYPE_CHECKING:
    from rotator.engine import Run, Wanted
    from rotator.plan import Missing
    from rotator.policy import Draft, Policy
    from rotator.results import Result


@command
def carry_out(
    common: Common,
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is missing.")] = False,
    lease_dir: Leases = None,
    lease_container: Container = None,
    max_duration: MaxDuration = None,
    yes: Yes = False,
) -> None:
    """Make what a policy needs before it can rotate.

    Finds or makes the application and its service principal, writes app_id into the policy's file, gives the declared
    roles, publishes the first password and the user name, and deploys the groups that have a manifest and don't exist.
    Changes no existing object. Asks before it creates one, unless --yes.
    """
    from rotator.cli import session
    from rotator.cli.leases import chosen
    from rotator.engine import Wanted, outline
    from rotator.engine import provision as provision_in

    at_most, policy = span(max_duration), common.load_draft(name)
    wanted = Wanted(policy, lambda app_id: save(Path(policy.file), app_id))
    if dry_run or not yes:
        missing = session.run(common, (wanted.known(),), lambda runs: outline(next(iter(runs)), wanted))
        if dry_run:
            common.write(lambda: _text(wanted, missing), lambda: _body(wanted, missing))
            return
        if missing.steps:
            ask(f"{_text(wanted, missing)}\nMake this?", yes)
    _ensure_writable(policy)

    async def do(run: "Run") -> "Result":
        return await provision_in(run, wanted)

    session.change(
        common,
        (wanted.known(),),
        do,
        leases=chosen(common, lease_dir, lease_container),
        purpose="provision",
        at_most=at_most,
    )


def _ensure_writable(policy: "Policy | Draft") -> None:
    """Check the policy's file before anything is made in Azure: the app id must be written there."""
    file = Path(policy.file).resolve()
    if policy.app_id is None and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        raise typer.BadParameter(
            f"{policy.file} can't be written, and the app_id belongs there; make the file and its directory writable"
        )


def save(file: Path, app_id: str) -> None:
    """Write the app id into a policy's file, completely or not at all.

    The file keeps its rights and its owner; a symbolic link is followed. Raises RotatorError if the file can't be
    written.
    """
    from rotator.errors import RotatorError
    from rotator.policy import with_app_id

    real = file.resolve()
    text = real.read_bytes().decode()
    written = with_app_id(text, str(file), app_id)
    if written == text:
        return
    try:
        _replace(real, written)
    except OSError as error:
        state = f"Application {app_id} exists; the file does not have its app_id yet, and is unchanged."
        remedy = "Make its directory writable, with free space, then run again: rotator finds the application."
        raise RotatorError(f"{file} can't be written: {error.strerror}", state=state, remedy=remedy) from None


def _replace(real: Path, written: str) -> None:
    """Replace a file's text, completely or not at all. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with open(descriptor, "wb") as out:  # noqa: PTH123 - of a descriptor that is open already
            _like(real, out.fileno())
            out.write(written.encode())
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(real)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _like(real: Path, descriptor: int) -> None:
    """Give a new file the rights and the owner of the file to be replaced.

    The owner changes only as far as this user may.
    """
    had = real.stat()
    with suppress(PermissionError):
        os.fchown(descriptor, had.st_uid, had.st_gid)
    os.fchmod(descriptor, had.st_mode & 0o7777)


def _text(wanted: "Wanted", missing: "Missing") -> str:
    from rotator.report.plan import note_text, step_text
    from rotator.report.words import block, entry

    steps = [
        entry("" if number > 1 else "missing", f"{number}. {step_text(step)}", f"   {step.reason.text}")
        for number, step in enumerate(missing.steps, 1)
    ]
    return block(
        f"{wanted.policy.name}: {'nothing is missing' if not steps else f'{len(steps)} to create'}",
        [*steps, *map(note_text, missing.notes)],
    )


def _body(wanted: "Wanted", missing: "Missing") -> dict[str, Any]:
    from rotator.steps import kind, target

    steps = [
        {"step": kind(step), "target": target(step), "code": step.reason.code, "reason": step.reason.text}
        for step in missing.steps
    ]
    notes = [
        {"code": note.code, "subject": note.subject, "text": note.text, "warn": note.warn} for note in missing.notes
    ]
    return {"policies": [{"policy": wanted.policy.name, "missing": steps, "notes": notes}]}
