"""Rights and obstacles that are known before a rotation, from the answers of RBAC, Key Vault and Graph.

A question without an answer is reported as unknown, with the reason; it is no refusal.
"""

from collections.abc import Sequence
from dataclasses import replace

from rotator.causes import Cause, Denial, Grounds
from rotator.clients import keyvault
from rotator.clients.pipeline import at_once
from rotator.clients.services import Services
from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.preflight import Right
from rotator.resource_id import ResourceId
from rotator.rights import SECRETS_OFFICER, SET_SECRETS, WRITE_GROUP
from rotator.state import PasswordLimit, Permissions


async def permissions(azure: Services, policy: Policy, groups: Sequence[ResourceId]) -> Permissions:
    """Return known refusals, from RBAC's own answer, and the unknown rights."""
    async with at_once() as tasks:
        writing = tasks.create_task(azure.rights([(WRITE_GROUP, each) for each in groups]))
        vault = tasks.create_task(_vault_right(azure, policy))
        said = tasks.create_task(_limits(azure, policy))
    rights, (limits, unread) = [*writing.result(), vault.result()], said.result()
    refused = tuple(
        sorted(each for each, right in zip(groups, writing.result(), strict=True) if right.allowed is False)
    )
    unknown = [(right.question, right.why) for right in rights if right.allowed is None]
    return Permissions(refused, _no_role(policy, vault.result()), limits=limits, unknown=(*unknown, *unread))


async def _vault_right(azure: Services, policy: Policy) -> Right:
    """Tell if rotator may set secrets.

    Access policies aren't checked here, and count as an allowance.
    """
    try:
        vault_id = await azure.arm.rbac_vault(policy.key_vault.host, policy.subscriptions)
    except AzureError as error:
        return Right(SET_SECRETS, policy.key_vault.host, None, error.happened, error.grounds)
    if vault_id is None:
        return Right(SET_SECRETS, policy.key_vault.host, True)
    return replace(
        await azure.rbac.right(SET_SECRETS, vault_id.child("secrets", policy.key_vault.password_secret), data=True),
        scope=vault_id,
    )


async def _limits(azure: Services, policy: Policy) -> tuple[tuple[PasswordLimit, ...], tuple[tuple[str, str], ...]]:
    try:
        found = await azure.limits(policy)
    except AzureError as error:
        return (), (("whether an app management policy limits new passwords", error.happened),)
    unsure = [each for each in found if each.exempts and each.forbids(policy.rotation.validity)]
    why = "Microsoft Graph does not show rotator the custom security attributes of its own identity"
    return found, tuple((each.question, why) for each in unsure)


def _no_role(policy: Policy, right: Right) -> Denial | None:
    if right.allowed is not False:
        return None
    what = f"the identity that rotator signs in as has no role with data action {right.action} on {right.scope}"
    needs = f"role {SECRETS_OFFICER} (action {right.action}) on vault {policy.key_vault.host}"
    return Denial(
        what, Grounds(Cause.ROLE, needs, SECRETS_OFFICER, right.scope, policy.key_vault.name, service=keyvault.SERVICE)
    )
