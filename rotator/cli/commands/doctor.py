"""``rotator doctor``: check all preconditions before the first rotation."""

import os
from typing import TYPE_CHECKING, Any

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Container, Leases, Names, command
from rotator.errors import RotatorError

if TYPE_CHECKING:
    from rotator.cli.leases import Holders
    from rotator.engine import Run
    from rotator.report.doctor import Diagnosed


@command
def carry_out(
    common: Common,
    context: typer.Context,
    names: Names = None,
    lease_dir: Leases = None,
    lease_container: Container = None,
) -> None:
    """Check what must hold before a rotation; change nothing.

    Identity, permissions, principal, registries, vault, container groups, this machine. A failed check comes with the
    command to fix it. Successful checks are counted; -v lists them. Ends with 1 if a check fails, or if a check needed
    by a rotation has no answer; warnings and advice don't count.
    """
    from rotator import fleet
    from rotator.cli import session
    from rotator.cli.leases import Holders, chosen
    from rotator.cli.options import repeated
    from rotator.report.doctor import doctor_body, doctor_text, unseen_body, unseen_text

    policies, holders = common.load(tuple(names or ())), Holders(chosen(common, lease_dir, lease_container))
    given = repeated(context, "policies", "cloud", "lease_dir", "lease_container")
    found = session.run(
        common,
        policies,
        lambda runs: fleet.look(runs, lambda run: _diagnosed(run, holders, given)),
        sign_in=len(policies) > 1,
    )
    seen = list(zip((policy.name for policy in policies), found, strict=True))

    def text() -> str:
        return "\n\n".join(
            unseen_text(name, what) if isinstance(what, RotatorError) else doctor_text(what, every=common.verbose > 0)
            for name, what in seen
        )

    def body() -> dict[str, Any]:
        return {
            "policies": [
                unseen_body(name, what) if isinstance(what, RotatorError) else doctor_body(what) for name, what in seen
            ]
        }

    common.write(text, body, int(any(isinstance(what, RotatorError) or what.exit_code for _, what in seen)))


async def _diagnosed(run: "Run", holders: "Holders", given: tuple[tuple[str, str], ...]) -> "Diagnosed":
    from rotator.cli import wiring
    from rotator.doctor import Case, diagnose
    from rotator.engine import examine
    from rotator.preflight import Machine
    from rotator.report.doctor import Diagnosed

    examined = await examine(run)
    leases = holders.leases
    unusable, holder = await holders.standing(run)
    signs_in_as = os.environ.get("AZURE_CLIENT_ID", "") if os.environ.get("AZURE_CLIENT_SECRET") else ""
    case = Case(
        run.policy,
        examined,
        Machine(wiring.now(), leases.where, unusable, holder, leases.exposed, signs_in_as),
        given,
    )
    return Diagnosed(run.policy.name, run.policy.file, diagnose(case))
