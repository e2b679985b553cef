"""The emulator's first tenant, with the names used for this job by the Azure documentation.

One resource group, one registry with images, one vault, and three identities: an *operator* with exactly the rights a
user is asked to give rotator (SECURITY.md), a managed identity with the same rights, and an *admin* with all rights,
for set-up. The tenant has no pull credential yet: rotator makes the first one.
"""

from collections.abc import Iterable
from datetime import timedelta

from local_azure.arm.clouds import PUBLIC, Cloud
from local_azure.azure import Azure
from local_azure.seeded import Assigned, Identity, Seeded

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "72f988bf-0000-0000-0000-000000000001"
LOCATION = PUBLIC.region
GROUP, REGISTRY, VAULT, IDENTITY = "myResourceGroup", "mycontainerregistry", "myvault", "myidentity"

OPERATOR_ACTIONS = (
    "Microsoft.ContainerInstance/containerGroups/read",
    "Microsoft.ContainerInstance/containerGroups/write",
    "Microsoft.ContainerInstance/containerGroups/containers/logs/read",
    "Microsoft.ContainerRegistry/registries/read",
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.Authorization/locks/read",
)
"""Actions of rotator in Azure Resource Manager on the subscription: see groups, redeploy them, read a job's logs, find
registry and vault, see locks.
"""

ACCESS_ACTIONS = (
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.ContainerRegistry/registries/tokens/read",
)
"""Actions that ``revoke`` and ``grant`` need, on the registry only."""

OPERATOR_PERMISSION = "Application.ReadWrite.OwnedBy"
"""rotator's permissions in Graph."""

ADMIN_PERMISSIONS = (
    "AppRoleAssignment.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
    "User.ReadWrite.All",
)
"""Permissions of an administrator in Graph, beside the change of every application: groups, users, consent, app
management policies.
"""


def fill(azure: Azure, cloud: Cloud = PUBLIC) -> Seeded:
    """Fill an empty `azure`, as if long ago: no delay of propagation is left.

    All resources use the names of one `cloud`.
    """
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    azure.resources.add_subscription(SUBSCRIPTION, "Emulated subscription")
    azure.resources.create_group(SUBSCRIPTION, GROUP, cloud.region)
    registry = _registry(azure, cloud, f"{group}/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}")
    vault = _vault(azure, cloud, f"{group}/providers/Microsoft.KeyVault/vaults/{VAULT}")
    operator = _operator(azure, registry, vault)
    admin = _admin(azure)
    identity = _assigned(
        azure, f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{IDENTITY}", cloud, registry, vault
    )
    server, url = f"{REGISTRY}.{cloud.registries}", f"https://{VAULT}.{cloud.vaults}"
    return Seeded(
        azure.directory.tenant,
        SUBSCRIPTION,
        GROUP,
        registry,
        server,
        vault,
        url,
        operator,
        admin,
        identity,
        cloud.short,
    )


def _registry(azure: Azure, cloud: Cloud, resource_id: str) -> str:
    server, sku = f"{REGISTRY}.{cloud.registries}", {"name": "Standard"}
    properties = {"adminUserEnabled": False, "roleAssignmentMode": "LegacyRegistryPermissions"}
    azure.resources.put(resource_id, "Microsoft.ContainerRegistry/registries", cloud.region, properties, sku=sku)
    azure.registries.push(server, "aci-helloworld", "v1")
    azure.registries.push(server, "aci-helloworld", "latest")
    azure.registries.push(server, "myimage", "v1")
    azure.registries.push(server, "hello-world", "v1", exit_code=0, run_seconds=1, logs="Hello from Docker!\n")
    azure.registries.push(server, "nightly", "v1", exit_code=0, run_seconds=60, logs="done\n")
    return resource_id


def _vault(azure: Azure, cloud: Cloud, resource_id: str) -> str:
    properties = {"tenantId": azure.directory.tenant, "enableRbacAuthorization": True}
    azure.resources.put(resource_id, "Microsoft.KeyVault/vaults", cloud.region, properties)
    return resource_id


def _operator(azure: Azure, registry: str, vault: str) -> Identity:
    _define(azure, "rotator operator", OPERATOR_ACTIONS)
    _define(azure, "rotator access", ACCESS_ACTIONS)
    return _identity(azure, "operator", OPERATOR_PERMISSION, _operator_roles(registry, vault))


def _operator_roles(registry: str, vault: str) -> tuple[tuple[str, str], ...]:
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    return (subscription, "rotator operator"), (registry, "rotator access"), (vault, "Key Vault Secrets Officer")


def _assigned(azure: Azure, resource_id: str, cloud: Cloud, registry: str, vault: str) -> Assigned:
    made = azure.identities.put(resource_id, cloud.region).properties
    azure.directory.grant(made["clientId"], OPERATOR_PERMISSION)
    for scope, role in _operator_roles(registry, vault):
        azure.authorization.assign(scope, made["principalId"], role, at_once=True)
    return Assigned(IDENTITY, made["clientId"], made["principalId"], resource_id)


def _admin(azure: Azure) -> Identity:
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    roles = ((subscription, "Owner"), (subscription, "Key Vault Administrator"))
    admin = _identity(azure, "admin", "Application.ReadWrite.All", roles)
    for permission in ADMIN_PERMISSIONS:
        azure.directory.grant(admin.app_id, permission)
    return admin


def _define(azure: Azure, name: str, actions: Iterable[str]) -> None:
    azure.authorization.define(name, actions=list(actions), scopes=[f"/subscriptions/{SUBSCRIPTION}"])


def _identity(azure: Azure, name: str, permission: str, roles: Iterable[tuple[str, str]]) -> Identity:
    application = azure.directory.create_application(name)
    principal = azure.directory.create_service_principal(application.app_id)
    azure.directory.grant(application.app_id, permission)
    for scope, role in roles:
        azure.authorization.assign(scope, principal.id, role, at_once=True)
    end = azure.clock.now() + timedelta(days=3650)
    password = azure.directory.add_password(application, display_name="emulator", end=end, at_once=True)
    return Identity(name, application.app_id, principal.id, password.secret)
