"""``rotator grant``: restore the access removed by a revocation."""

from typing import TYPE_CHECKING

from rotator.cli.invocation import Common
from rotator.cli.options import Container, Leases, Name, command

if TYPE_CHECKING:
    pass


@command
def carry_out(common: Common, name: Name, lease_dir: Leases = None, lease_container: Container = None) -> None:
    """Restore the access that `rotator revoke` took away.

    If access was not revoked, creates the missing role assignments that the policy declares.
    """
    from rotator.cli import session
    from rotator.cli.leases import chosen
    from rotator.engine import grant as grant_in

    session.change(
        common, common.load((name,)), grant_in, leases=chosen(common, lease_dir, lease_container), purpose="access"
    )
