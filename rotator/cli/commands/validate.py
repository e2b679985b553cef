"""``rotator validate``: check policies without asking Azure."""

from typing import TYPE_CHECKING

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command

if TYPE_CHECKING:
    pass


@command
def carry_out(common: Common, names: Names = None) -> None:
    """Check policies without asking Azure anything.

    Every mistake is shown at once, with its place and what to write instead. More than 20 valid policies are counted;
    -v shows each.
    """
    from rotator.report.many import FEW

    found = common.load(tuple(names or ()))

    def text() -> str:
        if len(found) > FEW and not common.verbose:
            return f"{len(found)} policies are valid; -v shows each"
        return "\n".join(f"{policy.name}: valid ({policy.file})" for policy in found)

    common.write(text, lambda: {"policies": [{"policy": policy.name, "file": policy.file} for policy in found]})
