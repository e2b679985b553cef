"""``rotator revoke``: take the access of a principal away."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Container, Leases, Name, Yes, ask, command
from rotator.remedy import rotator

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.ports import AccessRecord
    from rotator.results import Result


@command
def carry_out(
    common: Common,
    name: Name,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until a pull is refused; Azure takes up to ten minutes.")
    ] = True,
    credentials: Annotated[
        bool,
        typer.Option(
            "--credentials",
            help=(
                "Remove every password of this policy, too, and disable its versions; works even if a lock keeps"
                " the role."
            ),
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", dir_okay=False, help="Write what was deleted to a file, too (JSON)."),
    ] = None,
    lease_dir: Leases = None,
    lease_container: Container = None,
    yes: Yes = False,
) -> None:
    """Take the principal's access away, and prove it.

    Deletes the declared role assignments, recording them first: `rotator grant` restores them. Says what else still
    lets the principal pull. Asks, unless --yes.
    """
    from rotator.cli import session
    from rotator.cli.leases import chosen
    from rotator.fleet import Urgent

    (policy,) = common.load((name,))
    _ensure_plain(record)
    registries = ", ".join(registry.id.name for registry in policy.registries)
    what = "roles and the passwords" if credentials else "roles"
    ask(
        f"Delete the {what} with which {policy.principal.app_id} pulls from {registries}? Every later pull of its"
        " container groups fails.",
        yes,
    )
    _ensure_writable(record)

    async def do(run: "Run") -> "Result":
        from rotator.engine import revoke as revoke_in

        result = await revoke_in(run, wait=wait, credentials=credentials)
        if record:
            _write_record(record, _exported(policy.name, await run.world.access(policy)), policy.name)
        return result

    urgent = Urgent(
        "access was not taken away",
        "Nothing was changed by this run: the principal can pull, unless the other run takes its access away.",
    )
    session.change(
        common, (policy,), do, leases=chosen(common, lease_dir, lease_container), purpose="access", urgent=urgent
    )


def _ensure_plain(record: Path | None) -> None:
    """Refuse a pipe or a device as a record file. Raises BadParameter.

    Opening a pipe waits for a reader, and a device keeps no data.
    """
    if record and record.exists() and not record.is_file():
        raise typer.BadParameter(
            f"--record {record}: not a plain file; nothing is written to a pipe, a socket or a device"
        )


def _ensure_writable(record: Path | None) -> None:
    """Check that a file can be made beside the record. Raises OSError."""
    if record:
        try:
            tempfile.TemporaryFile(dir=record.resolve().parent).close()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(record)) from None


def _write_record(record: Path, text: str, policy: str) -> None:
    from rotator.errors import RotatorError
    from rotator.notify import replaced

    try:
        replaced(record.resolve(), text)
    except OSError as error:
        state = (
            f"The access is revoked all the same, and recorded in the vault; `{rotator('grant', policy)}` restores it."
        )
        raise RotatorError(
            f"{record} can't be written: {error.strerror}", state=state, remedy="Run again with another --record FILE."
        ) from None


def _exported(policy: str, found: "AccessRecord") -> str:
    from dataclasses import asdict

    from rotator.report.words import instant

    assignments = [asdict(assignment) for assignment in found.assignments]
    body = {
        "version": 1,
        "policy": policy,
        "access": found.access.value,
        "since": instant(found.since),
        "assignments": assignments,
    }
    return json.dumps(body, indent=2) + "\n"
