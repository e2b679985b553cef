"""``rotator validate``: check policies without asking Azure."""

from typing import TYPE_CHECKING

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command

if TYPE_CHECKING:
    pass


@command
def carry_out(common: Common, names: Names = None) -> None:
    """Check policies without asking Azure anything.

    Every mistake is shown at once, with its place and what to write instead.
    """
    found = common.load(tuple(names or ()))

    def text() -> str:
        return "\n".join(f"{policy.name}: valid ({policy.file})" for policy in found)

    common.write(text, lambda: {"policies": [{"policy": policy.name, "file": policy.file} for policy in found]})
