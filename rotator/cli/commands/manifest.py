"""``rotator manifest``: write the manifest of a running container group."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Name, command
from rotator.errors import NotFound

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.state import ContainerGroup

Running = Annotated[str, typer.Argument(metavar="GROUP", help="Name or id of a container group of the policy.")]


@command
def manifest(common: Common, name: Name, group: Running) -> None:
    """Write the manifest of a running container group to stdout.

    Placeholders stand where Azure hides a value; comments say where each value comes from. Changes nothing.
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
        raise NotFound(f"container group {group_id} {seen.unreadable or 'is not there'}", service="aci")
    written = Written(policy, group_id, seen.at, API_VERSION, drafted(Document.seen(policy, seen)))
    common.write(lambda: manifest_text(written), lambda: manifest_form(written), 0)
