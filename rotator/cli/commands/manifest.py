"""``rotator manifest``: write the manifest of a running container group."""

from collections.abc import Iterable
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.files import created
from rotator.cli.invocation import Common
from rotator.cli.options import Name, command
from rotator.errors import NotFound, RotatorError
from rotator.visible import one_line

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.state import ContainerGroup

Running = Annotated[str, typer.Argument(metavar="GROUP", help="Name or id of a container group of the policy.")]


@command
def carry_out(
    common: Common,
    name: Name,
    group: Running,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Write to this new file instead of stdout.")
    ] = None,
) -> None:
    """Write the manifest of a running container group.

    Placeholders stand where Azure hides a value; comments say where each value comes from. Changes nothing in Azure.
    """
    from rotator.cli import session
    from rotator.cli.choosing import chosen
    from rotator.clients.aci import API_VERSION
    from rotator.container_group import Document, drafted
    from rotator.report.written_manifest import Written, manifest_form, manifest_text

    (policy,) = common.load((name,))
    group_id = chosen(policy, group).id

    async def read(runs: Iterable["Run"]) -> "ContainerGroup":
        return await next(iter(runs)).world.group(group_id)

    seen = session.run(common, (policy,), read)
    if seen.document is None or seen.unreadable:
        raise NotFound(f"container group {group_id} {seen.unreadable or 'does not exist'}", service="aci")
    named = relpath(file, Path(policy.file).parent) if file else ""
    written = Written(policy, group_id, seen.at, API_VERSION, drafted(Document.seen(policy, seen)), named)
    if file:
        _fill(file, manifest_text(written))
    text = f"{file}: the manifest of {group_id.name}; its first lines list the remaining steps"
    common.write(lambda: one_line(text) if file else manifest_text(written), lambda: manifest_form(written), 0)


def _fill(file: Path, text: str) -> None:
    """Create a file with a text. Raises RotatorError if there is one already, or it can't be written."""
    try:
        created(file, f"{text}\n")
    except OSError as error:
        raise RotatorError(
            f"{file} can't be written: {error.strerror}",
            state="Nothing was changed.",
            remedy="Name another --file; one that exists is never overwritten.",
        ) from None
