"""Tests of a principal without a role, whose secret has no valid value: no password is added, since none could be
proven.
"""

from collections.abc import Callable

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from tests.matrices.people import CHANGES
from tests.matrices.worlds import at_rest
from tests.stage import GROUPS, Stage

ASSIGNED = "rbac.roleAssignments.list"


async def _stranded(loop: VirtualLoop) -> Stage:
    """Return a world whose published password and role were removed by hand."""
    made = await at_rest(loop)
    CHANGES["remove the published password"](made)
    CHANGES["take the pull role"](made)
    made.pass_(hours=1)
    return made


async def test_nothing_is_added_until_a_role_is_there_again(loop: VirtualLoop) -> None:
    made = await _stranded(loop)
    before, since = made.credentials(), len(made.app.served)
    for _ in range(2):
        assert (await made.rotate()).exit_code == 1
        assert '"code": "no_pull"' in made.told() and "it has no role there" in made.told()
    assert made.writes(since) == [] and made.credentials() == before
    made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPull", at_once=True)
    assert (await made.rotate()).exit_code == 0
    (added,) = made.credentials()
    assert {made.published(), *map(made.password_of, GROUPS)} == {added.secret}


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Fault(ASSIGNED, "status", status=403, code="AuthorizationFailed", times=0),
        lambda: Fault(ASSIGNED, "status", status=500, times=0),
    ],
    ids=["may not be read", "can not be read"],
)
async def test_roles_that_cannot_be_read_forbid_no_new_password(loop: VirtualLoop, fault: Callable[[], Fault]) -> None:
    made = await _stranded(loop)
    made.azure.faults.add(fault())
    assert (await made.rotate()).exit_code == 1
    assert '"code": "no_pull"' not in made.told() and "whether a role lets the principal pull" in made.told()
    assert made.credentials() == []
