"""``rotator status``: every policy in one line."""

from typing import TYPE_CHECKING

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command

if TYPE_CHECKING:
    pass
from rotator.cli.looking import looked


@command
def status(common: Common, names: Names = None) -> None:
    """Show every policy in one line, most urgent first.

    Tries and changes nothing. As wide as the terminal, or COLUMNS; -v adds each container group, wait and foreign
    credential. Ends with 1 where a compromised credential still works, a policy can't be seen, something waits past its
    warning, or drift stops what is due; else with 0.
    """
    from shutil import get_terminal_size

    from rotator.engine import glance
    from rotator.report.status import status_body, status_code, status_text

    seen = looked(common, names, glance)
    width, every = get_terminal_size((120, 24)).columns, common.verbose > 0
    common.write(
        lambda: status_text(seen, width=width, every=every), lambda: {"policies": status_body(seen)}, status_code(seen)
    )
