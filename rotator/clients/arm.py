"""Registries and vaults from Azure Resource Manager, through azure-core's own pipeline.

The few routes don't need a client library each.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from azure.core.rest import HttpRequest

from rotator.clients.api_versions import LOCKS, REGISTRIES, RESOURCES, SUBSCRIPTIONS, VAULTS, ApiVersion
from rotator.clients.pages import paged
from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked
from rotator.clients.token import Token
from rotator.clients.translation import ask
from rotator.clients.typed import content, flag, record, records, text
from rotator.cloud import Cloud
from rotator.codes import FailureCode
from rotator.errors import NotFound, Unseen
from rotator.preflight import Lock
from rotator.remedy import SHOW_REGISTRY_ID
from rotator.resource_id import ArmId, ResourceId
from rotator.state import Registry

T = TypeVar("T")
SERVICE = "Azure Resource Manager"
ABAC = "AbacRepositoryPermissions"


class Arm:
    """Azure Resource Manager client of one signed-in identity."""

    def __init__(self, line: Line, cloud: Cloud, token: Token) -> None:
        self._url = cloud.arm
        self._client = line.client(token, cloud.arm_scope, cloud.arm)

    async def close(self) -> None:
        """Close the client; the session stays open."""
        await self._client.close()

    async def registry(self, registry_id: ResourceId) -> Registry:
        """Read a registry. Raises NotFound naming the registry."""
        name = registry_id.name
        asked = Asked(
            SERVICE,
            f"read registry {name} ({registry_id})",
            f"Microsoft.ContainerRegistry/registries/read on {registry_id}",
        )
        try:
            return await ask(asked, self._registry(registry_id))
        except Unseen:
            raise
        except NotFound as error:
            failure = error
        remedy = (
            f"Correct the registry's id in the policy (`{SHOW_REGISTRY_ID}` prints it), remove the registry from the"
            " policy if it was deleted for good, or create it."
        )
        raise NotFound(
            f"registry {name} doesn't exist: {failure.happened}",
            service=SERVICE,
            code=failure.code,
            status=404,
            remedy=remedy,
        )

    async def _registry(self, registry_id: ResourceId) -> Registry:
        return _shown(await self._get(registry_id, REGISTRIES))

    async def registries(self, subscription: str) -> tuple[Registry, ...]:
        """Return every registry of a subscription, by id."""
        where = f"/subscriptions/{subscription}"
        asked = Asked(
            SERVICE,
            f"list the registries of subscription {subscription}",
            f"Microsoft.ContainerRegistry/registries/read on {where}",
        )
        listed = await self.every(
            asked, f"{where}/providers/Microsoft.ContainerRegistry/registries", REGISTRIES, _shown
        )
        return tuple(sorted(listed, key=lambda registry: registry.id))

    async def subscriptions(self) -> tuple[str, ...]:
        """Return the ids of the subscriptions where the signed-in identity has any role, sorted."""
        asked = Asked(SERVICE, "list the subscriptions")
        return tuple(
            sorted(
                await self.every(
                    asked, "/subscriptions", SUBSCRIPTIONS, lambda each: text(each["subscriptionId"]).lower()
                )
            )
        )

    async def newest(self, known: ApiVersion, kind: str) -> ApiVersion:
        """Return the newest stable version that a provider offers for a type of resource; `known` if none is newer.

        Any signed-in identity may ask the tenant's list of providers.
        """
        provider, _, name = kind.partition("/")
        asked = Asked(SERVICE, f"read which API versions {kind} has", "any sign-in to the tenant")

        async def reading() -> ApiVersion:
            shown = await self._get(f"/providers/{provider}", RESOURCES)
            kinds = (each for each in records(shown["resourceTypes"]) if ArmId(text(each["resourceType"])) == name)
            versions = [text(version) for each in kinds for version in each["apiVersions"]]
            return max([known, *(replace(known, version=one) for one in versions if one[-1:].isdigit())], key=str)

        return await ask(asked, reading())

    async def tokens(self, registry_id: ResourceId) -> tuple[str, ...]:
        """Return the names of a registry's enabled repository-scoped tokens, sorted."""
        asked = Asked(
            SERVICE,
            f"list the tokens of registry {registry_id}",
            f"Microsoft.ContainerRegistry/registries/tokens/read on {registry_id}",
        )
        listed = await self.every(asked, f"{registry_id}/tokens", REGISTRIES, _token)
        return tuple(sorted(name for name, enabled in listed if enabled))

    async def locks(self, scope: ResourceId) -> tuple[Lock, ...]:
        """Return the locks on a resource, its resource group and its subscription, sorted (azure-facts F7)."""
        asked = Asked(SERVICE, f"list the locks on {scope}", f"Microsoft.Authorization/locks/read on {scope}")
        path = f"{scope}/providers/Microsoft.Authorization/locks"
        return tuple(sorted(await self.every(asked, path, LOCKS, _lock, "$filter=atScope()&")))

    async def every(
        self, asked: Asked, path: str, version: ApiVersion, read: Callable[[dict[str, Any]], T], query: str = ""
    ) -> list[T]:
        """Return every item of a list, page by page."""
        return await paged(asked, self._read, self._address(path, version, query), read)

    async def properties(self, resource_id: ResourceId, read: Callable[[dict[str, Any]], T]) -> T:
        """Return the result of `read` for the properties of a registry or a vault."""
        asked = Asked(SERVICE, f"read {resource_id}", f"read on {resource_id}")
        version = VAULTS if ArmId(resource_id.provider) == "Microsoft.KeyVault" else REGISTRIES

        async def reading() -> T:
            return read(await self._properties(resource_id, version))

        return await ask(asked, reading())

    async def _properties(self, resource_id: ResourceId, version: ApiVersion) -> dict[str, Any]:
        return record((await self._get(resource_id, version))["properties"])

    async def vaults(self, subscriptions: tuple[str, ...]) -> tuple[ResourceId, ...]:
        """Return the ids of all visible vaults in `subscriptions`."""
        found: list[ResourceId] = []
        for subscription in subscriptions:
            found += await self._vaults(Asked(SERVICE, f"list the vaults of subscription {subscription}"), subscription)
        return tuple(sorted(found))

    async def rbac_vault(self, host: str, subscriptions: tuple[str, ...]) -> ResourceId | None:
        """Return the id of the vault at `host` if its access is by RBAC; None if by access policies.

        Raises NotFound where the vault isn't seen in any of `subscriptions`.
        """
        name = host.partition(".")[0]
        for subscription in subscriptions:
            asked = Asked(SERVICE, f"look for vault {name} in subscription {subscription}")
            for found in await self._vaults(asked, subscription):
                if found.name.lower() == name.lower():
                    shown = await ask(asked, self._properties(found, VAULTS))
                    return found if shown.get("enableRbacAuthorization") is True else None
        raise NotFound(
            f"vault {name} was not found in the policy's subscriptions", service=SERVICE, code=FailureCode.NO_SUCH_VAULT
        )

    async def _vaults(self, asked: Asked, subscription: str) -> list[ResourceId]:
        query = "$filter=resourceType eq 'Microsoft.KeyVault/vaults'&"
        return await self.every(
            asked,
            f"/subscriptions/{subscription}/resources",
            RESOURCES,
            lambda each: ResourceId.parse(text(each["id"])),
            query,
        )

    def _address(self, path: str, version: ApiVersion, query: str = "") -> str:
        return f"{self._url}{path}?{query.replace(' ', '%20')}api-version={version}"

    async def _get(self, path: str, version: ApiVersion) -> dict[str, Any]:
        return await self._read(self._address(path, version))

    async def answer(self, resource_id: ResourceId, version: ApiVersion) -> Any:
        """Return the whole answer to a GET, whatever its status. Raises the library's exceptions where none came."""
        return await self._client.send_request(HttpRequest("GET", self._address(resource_id, version)))

    async def _read(self, address: str) -> dict[str, Any]:
        return content(await self._client.send_request(HttpRequest("GET", address)))


def _lock(shown: Mapping[str, Any]) -> Lock:
    """Read a lock. Raises KeyError, ValueError for one whose id doesn't name what it locks."""
    lock = Lock(ArmId(text(shown["id"])), text(record(shown["properties"])["level"]))
    if not lock.scope:
        raise ValueError("a lock without a scope")
    return lock


def _token(shown: Mapping[str, Any]) -> tuple[str, bool]:
    return text(shown["name"]), record(shown["properties"]).get("status") != "disabled"


def _shown(registry: Mapping[str, Any]) -> Registry:
    properties = record(registry["properties"])
    abac = properties.get("roleAssignmentMode") == ABAC
    admin, anonymous = flag(properties.get("adminUserEnabled")), flag(properties.get("anonymousPullEnabled"))
    return Registry(
        ResourceId.parse(text(registry["id"])), text(properties["loginServer"]).lower(), abac, admin, anonymous
    )
