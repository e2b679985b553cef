"""What Azure Resource Manager says of registries and vaults, through azure-core's own pipeline: a few routes don't need a client library each."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, RequestIdPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from rotator.clients.pipeline import Line
from rotator.clients.resource import Resource
from rotator.clients.token import Token
from rotator.clients.translate import Asked, ask
from rotator.cloud import Cloud
from rotator.errors import NotFound
from rotator.state import Registry

SERVICE = "Azure Resource Manager"
REGISTRIES, RESOURCES, SUBSCRIPTIONS, VAULTS = "2025-11-01", "2021-04-01", "2022-12-01", "2023-07-01"
"""API versions; the registries' is the first stable one that has ``roleAssignmentMode``."""
ABAC = "AbacRepositoryPermissions"


class Arm:
    """Azure Resource Manager for one signed-in identity."""

    def __init__(self, line: Line, cloud: Cloud, token: Token) -> None:
        self._url = cloud.arm
        bearer = AsyncBearerTokenCredentialPolicy(token, cloud.arm_scope)  # type: ignore[arg-type]
        policies = [RequestIdPolicy(), line.agent(), line.retry(), bearer]
        self._client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            self._url, policies=policies, transport=line.transport()
        )

    async def close(self) -> None:
        """Close the client; the session stays open."""
        await self._client.close()

    async def registry(self, registry_id: str) -> Registry:
        """A registry. Raises NotFound that names it."""
        name = Resource.parse(registry_id).name
        asked = Asked(SERVICE, f"read registry {name} ({registry_id})", f"Microsoft.ContainerRegistry/registries/read on {registry_id}")
        try:
            return await ask(asked, self._registry(registry_id))
        except NotFound as error:
            failure = error
        remedy = "Correct the registry's id in the policy (`az acr show --query id` prints it), or create the registry."
        raise NotFound(f"registry {name} doesn't exist: {failure.happened}", service=SERVICE, code=failure.code, status=404, remedy=remedy)

    async def _registry(self, registry_id: str) -> Registry:
        return _shown(await self._get(registry_id, REGISTRIES))

    async def registries(self, subscription: str) -> tuple[Registry, ...]:
        """Every registry of a subscription, by id."""
        where = f"/subscriptions/{subscription}"
        asked = Asked(SERVICE, f"list the registries of subscription {subscription}", f"Microsoft.ContainerRegistry/registries/read on {where}")
        listed = await ask(asked, self._every(f"{where}/providers/Microsoft.ContainerRegistry/registries", REGISTRIES))
        return tuple(sorted(map(_shown, listed), key=lambda registry: registry.id.lower()))

    async def subscriptions(self) -> tuple[str, ...]:
        """The ids of the subscriptions in which the signed-in identity has any role, sorted."""
        listed = await ask(Asked(SERVICE, "list the subscriptions"), self._every("/subscriptions", SUBSCRIPTIONS))
        return tuple(sorted(each["subscriptionId"].lower() for each in listed))

    async def tokens(self, registry_id: str) -> tuple[str, ...]:
        """The names of a registry's enabled repository-scoped tokens, sorted."""
        asked = Asked(SERVICE, f"list the tokens of registry {registry_id}", f"Microsoft.ContainerRegistry/registries/tokens/read on {registry_id}")
        listed = await ask(asked, self._every(f"{registry_id}/tokens", REGISTRIES))
        return tuple(sorted(each["name"] for each in listed if each["properties"].get("status") != "disabled"))

    async def _every(self, path: str, version: str, query: str = "") -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        page = await self._get(path, version, query)
        found = list(page["value"])
        while following := page.get("nextLink"):
            page = await self._read(following)
            found += page["value"]
        return found

    async def properties(self, resource_id: str) -> dict[str, Any]:
        """The properties of a registry or a vault as they are shown."""
        asked = Asked(SERVICE, f"read {resource_id}", f"read on {resource_id}")
        version = VAULTS if "/microsoft.keyvault/" in resource_id.lower() else REGISTRIES
        found: dict[str, Any] = (await ask(asked, self._get(resource_id, version)))["properties"]
        return found

    async def vaults(self, subscriptions: tuple[str, ...]) -> tuple[str, ...]:
        """The ids of all vaults in `subscriptions` that may be seen there."""
        found: list[str] = []
        for subscription in subscriptions:
            asked = Asked(SERVICE, f"list the vaults of subscription {subscription}")
            found += await ask(asked, self._vaults(subscription))
        return tuple(sorted(found, key=str.lower))

    async def rbac_vault(self, host: str, subscriptions: tuple[str, ...]) -> str | None:
        """The id of the vault at `host`, where it is in one of `subscriptions` and its access is by RBAC; None where that can't be known."""
        name = host.partition(".")[0]
        for subscription in subscriptions:
            asked = Asked(SERVICE, f"look for vault {name} in subscription {subscription}")
            if found := await ask(asked, self._vault(subscription, name)):
                shown = await ask(asked, self._get(found, VAULTS))
                return found if shown["properties"].get("enableRbacAuthorization") is True else None
        return None

    async def _vault(self, subscription: str, name: str) -> str | None:
        return next((each for each in await self._vaults(subscription) if each.rsplit("/", 1)[-1].lower() == name.lower()), None)

    async def _vaults(self, subscription: str) -> list[str]:
        query = "$filter=resourceType eq 'Microsoft.KeyVault/vaults'&"
        return [each["id"] for each in await self._every(f"/subscriptions/{subscription}/resources", RESOURCES, query)]

    async def _get(self, path: str, version: str, query: str = "") -> dict[str, Any]:
        return await self._read(f"{self._url}{path}?{query.replace(' ', '%20')}api-version={version}")

    async def _read(self, address: str) -> dict[str, Any]:
        """Azure's own host only: a link to a next page would take the token anywhere."""
        if urlsplit(address).hostname != urlsplit(self._url).hostname:
            raise ValueError("a next page on another host")
        response = await self._client.send_request(HttpRequest("GET", address))
        if response.status_code != 200:
            raise HttpResponseError(response=response)
        content: dict[str, Any] = json.loads(response.text())
        return content


def _shown(registry: Mapping[str, Any]) -> Registry:
    properties = registry["properties"]
    abac = properties.get("roleAssignmentMode") == ABAC
    admin, anonymous = bool(properties.get("adminUserEnabled")), bool(properties.get("anonymousPullEnabled"))
    return Registry(registry["id"], properties["loginServer"].lower(), abac, admin, anonymous)
