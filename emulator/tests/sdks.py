"""Program without any knowledge of the emulator: official SDKs, no endpoint, only the environment.

Run by test_server.

It plays the whole chain, each service by its synchronous client and by its asynchronous one: a principal, its role, its
secret, a container group.
"""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecret
from azure.identity.aio import DefaultAzureCredential as AsyncCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.aio import AuthorizationManagementClient as AsyncAuthorization
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient as AsyncContainerInstance
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    ImageRegistryCredential,
    ResourceRequests,
    ResourceRequirements,
)
from msgraph import GraphServiceClient  # type: ignore[attr-defined]
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.models.application import Application
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.service_principal import ServicePrincipal

TENANT, SUBSCRIPTION, VAULT = (
    os.environ["AZURE_TENANT_ID"],
    os.environ["AZURE_SUBSCRIPTION_ID"],
    "https://myvault.vault.azure.net",
)
GROUP, SERVER = "myResourceGroup", "mycontainerregistry.azurecr.io"
REGISTRY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/mycontainerregistry"
ARM = "https://management.azure.com/.default"


async def principal() -> dict[str, Any]:
    """Create an application, its service principal and two passwords, and remove one again; msgraph-sdk is asynchronous
    only.
    """
    async with AsyncCredential() as credential:
        graph = GraphServiceClient(credential)
        made = _there(await graph.applications.post(Application(display_name="pull")))
        home = graph.applications.by_application_id(_there(made.id))
        owner = _there(await graph.service_principals.post(ServicePrincipal(app_id=made.app_id)))
        kept, removed = [_there(await home.add_password.post(_password(name))) for name in ("kept", "removed")]
        await home.remove_password.post(RemovePasswordPostRequestBody(key_id=removed.key_id))
        page = await graph.applications.get()
        left = _there(await home.get()).password_credentials or []
        return {
            "app_id": made.app_id,
            "object_id": owner.id,
            "password": kept.secret_text,
            "left": [each.display_name for each in left],
            "applications": sorted(str(each.display_name) for each in _there(page).value or []),
        }


def _there(found: Any) -> Any:
    assert found is not None
    return found


def _password(name: str) -> AddPasswordPostRequestBody:
    return AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name=name))


def _assignment(roles: Iterator[Any], object_id: str) -> tuple[str, str, RoleAssignmentCreateParameters]:
    body = RoleAssignmentCreateParameters(
        role_definition_id=next(roles).id, principal_id=object_id, principal_type="ServicePrincipal"
    )
    return REGISTRY, str(uuid.UUID(int=1)), body


def _container_group(made: dict[str, Any]) -> ContainerGroup:
    resources = ResourceRequirements(requests=ResourceRequests(cpu=1, memory_in_gb=1.5))
    entry = ImageRegistryCredential(server=SERVER, username=made["app_id"], password=made["password"])
    container = Container(name="app", image=f"{SERVER}/aci-helloworld:v1", resources=resources)
    return ContainerGroup(
        location="eastus", containers=[container], os_type="Linux", image_registry_credentials=[entry]
    )


def synchronous(made: dict[str, Any]) -> dict[str, object]:
    """Play the chain by the synchronous SDKs."""
    credential = DefaultAzureCredential()
    ClientSecretCredential(TENANT, made["app_id"], made["password"]).get_token(ARM)
    vault = SecretClient(VAULT, credential)
    vault.set_secret("sync", "one", tags={"old": "yes"})
    version = vault.set_secret("sync", "two").properties.version
    vault.update_secret_properties("sync", version, tags={"new": "yes"})
    shown = [each.tags for each in vault.list_properties_of_secret_versions("sync")]
    authorization = AuthorizationManagementClient(credential, SUBSCRIPTION)
    roles = authorization.role_definitions.list(REGISTRY, filter="roleName eq 'AcrPull'")
    authorization.role_assignments.create(*_assignment(iter(roles), made["object_id"]))
    found = authorization.role_assignments.list_for_scope(REGISTRY, filter=f"principalId eq '{made['object_id']}'")
    groups = ContainerInstanceManagementClient(credential, SUBSCRIPTION)
    deployed = groups.container_groups.begin_create_or_update(GROUP, "sync", _container_group(made)).result()
    return {
        "secret": vault.get_secret("sync").value,
        "tags": sorted(map(str, shown)),
        "roles": len(list(found)),
        "state": deployed.provisioning_state,
        "hidden": _there(deployed.image_registry_credentials)[0].password,
        "groups": [group.name for group in groups.container_groups.list()],
    }


async def asynchronous(made: dict[str, Any]) -> dict[str, object]:
    """Play the chain by the asynchronous SDKs, which delete the role assignment in the end."""
    async with AsyncClientSecret(TENANT, made["app_id"], made["password"]) as signing_in:
        await signing_in.get_token(ARM)
    async with AsyncCredential() as credential, AsyncSecretClient(VAULT, credential) as vault:
        await vault.set_secret("async", "one")
        await vault.set_secret("async", "two")
        secret = await vault.get_secret("async")
        versions = [each async for each in vault.list_properties_of_secret_versions("async")]
        async with AsyncContainerInstance(credential, SUBSCRIPTION) as client:
            creating = await client.container_groups.begin_create_or_update(GROUP, "async", _container_group(made))
            state = (await creating.result()).provisioning_state
            groups = [group.name async for group in client.container_groups.list()]
            logs = (await client.containers.list_logs(GROUP, "async", "app")).content
            async with AsyncAuthorization(credential, SUBSCRIPTION) as authorization:
                found = authorization.role_assignments.list_for_scope(
                    REGISTRY, filter=f"principalId eq '{made['object_id']}'"
                )
                deleted = [await authorization.role_assignments.delete_by_id(str(each.id)) async for each in found]
            refused = await _refused(client)
        shown = {"secret": secret.value, "versions": len(versions), "state": state, "groups": groups}
        return {**shown, "logs": isinstance(logs, str), "deleted": len(deleted), "refused": refused}


async def _refused(client: AsyncContainerInstance) -> str | None:
    """Return why a restart is refused."""
    try:
        await (await client.container_groups.begin_restart(GROUP, "async")).result()
    except HttpResponseError as error:
        return error.error.code if error.error else None
    return None


if __name__ == "__main__":
    with_secret = asyncio.run(principal())
    results = {"sync": synchronous(with_secret), "async": asyncio.run(asynchronous(with_secret))}
    sys.stdout.write(json.dumps({**results, "graph": {name: with_secret[name] for name in ("left", "applications")}}))
