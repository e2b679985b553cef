"""``rotator adopt``: hand over to rotator a credential made by another person or tool."""

from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Container, Leases, Name, command
from rotator.remedy import rotator

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.plan import Adoption
    from rotator.results import Result


Key = Annotated[
    str | None, typer.Option("--key-id", metavar="KEY_ID", help="Key id of the credential, if more than one fits.")
]


def adopted_before(adoption: "Adoption", name: str) -> str:
    """Name in a sentence the credentials adopted before, and those still foreign."""
    adopted, versions = " and ".join(adoption.key_ids), " and ".join(version.id for version in adoption.versions)
    many, several = len(adoption.key_ids) > 1, len(adoption.versions) > 1
    text = (
        f"credential{'s' if many else ''} {adopted} {'were' if many else 'was'} adopted before, as"
        f" version{'s' if several else ''} {versions}"
    )
    left = (
        (
            f"; not made by rotator: {', '.join(adoption.others)} (`{rotator('adopt', name, key_id='KEY_ID')}`"
            " makes one a credential of this policy)"
        )
        if adoption.others
        else ""
    )
    return f"{text} record{'' if several else 's'}{left}"


@command
def carry_out(
    common: Common, name: Name, key_id: Key = None, lease_dir: Leases = None, lease_container: Container = None
) -> None:
    """Let rotator manage a credential that others made.

    A person or another tool made it. From then on rotator retires it like its own, when nothing relies on it any
    more.
    """
    from rotator.cli import session
    from rotator.cli.leases import chosen

    async def do(run: "Run") -> "Result":
        from rotator.engine import adopt as adopt_in
        from rotator.engine import finish

        async def act() -> str:
            adoption = await adopt_in(run, key_id)
            if adoption.already:
                return adopted_before(adoption, run.policy.name)
            run.score.done += 1
            return f"adopted credential {adoption.key_ids[0]}, recorded on version {adoption.versions[0].id}"

        return await finish(run, "adopt", act)

    session.change(common, common.load((name,)), do, leases=chosen(common, lease_dir, lease_container))
