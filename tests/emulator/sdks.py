"""What a program looks like that knows nothing of the emulator: official SDKs, no endpoint, only the environment. Run by test_server."""

import asyncio
import json
import os
import sys

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from azure.identity.aio import DefaultAzureCredential as AsyncCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient as AsyncContainerInstance
from msgraph import GraphServiceClient  # type: ignore[attr-defined]

SUBSCRIPTION, VAULT = os.environ["AZURE_SUBSCRIPTION_ID"], "https://myvault.vault.azure.net"


def synchronous() -> dict[str, object]:
    """The synchronous SDKs."""
    credential: TokenCredential = DefaultAzureCredential()
    vault = SecretClient(VAULT, credential)
    vault.set_secret("sync", "one")
    roles = AuthorizationManagementClient(credential, SUBSCRIPTION).role_assignments.list_for_subscription()
    groups = ContainerInstanceManagementClient(credential, SUBSCRIPTION).container_groups.list()
    return {"secret": vault.get_secret("sync").value, "roles": len(list(roles)), "groups": len(list(groups))}


async def asynchronous() -> dict[str, object]:
    """The asynchronous SDKs and msgraph-sdk."""
    async with AsyncCredential() as credential, AsyncSecretClient(VAULT, credential) as vault:
        await vault.set_secret("async", "two")
        secret = await vault.get_secret("async")
        async with AsyncContainerInstance(credential, SUBSCRIPTION) as client:
            groups = [group async for group in client.container_groups.list()]
        graph = GraphServiceClient(credential)
        page = await graph.applications.get()
        applications = page.value or [] if page else []
        return {"secret": secret.value, "groups": len(groups), "applications": sorted(str(a.display_name) for a in applications)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"sync": synchronous(), "async": asyncio.run(asynchronous())}))
