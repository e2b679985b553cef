"""Tries of a password, as a container group would use it: a sign-in at Entra, then pulls from the registries."""

from collections.abc import Sequence
from dataclasses import replace

from rotator.clients import acr, entra
from rotator.clients.pipeline import Line, together
from rotator.clients.services import Services
from rotator.policy import Policy
from rotator.state import Proof, Secret

ONE_TRY = 30.0
"""Timeout in seconds for one request of a proof: the proof has its own deadline, and retries."""


async def prove(azure: Services, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
    """Try a password once on separate connections: at Entra, then with each image of the policy's registries."""
    tenant = policy.principal.tenant_id or (await azure.token.who()).tenant
    async with azure.separate_line(ONE_TRY) as line:
        refused = await entra.prove(line, azure.cloud, tenant, policy.principal.app_id, secret)
        return refused or replace(await _pull(azure, line, policy, secret, images), signed_in=True)


async def pull(azure: Services, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
    """Try the password at the registries alone, on separate connections.

    Registries ask their own tenant, whatever tenant the policy names.
    """
    async with azure.separate_line(ONE_TRY) as line:
        return await _pull(azure, line, policy, secret, images)


async def _pull(azure: Services, line: Line, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
    servers = await together(*(azure.server(registry.id) for registry in policy.registries))
    wanted = acr.images(azure.cloud, images, servers)
    tried = await acr.tries(line, azure.cloud, policy.principal.app_id, secret, wanted)
    return acr.conclusion(policy, azure.cloud, tried)
