"""Microsoft's msgraph-sdk, signed in to a directory in process."""

from typing import Any, cast

import httpx
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from local_azure.inprocess import GraphTransport
from msgraph.graph_request_adapter import GraphRequestAdapter
from tenancy import Tenancy


class _Credential:
    """Credential with the caller's token for any scope."""

    def __init__(self, world: Tenancy) -> None:
        self._world = world

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self._world.bearer().removeprefix("Bearer "), 4102444800)

    async def close(self) -> None:
        """Close nothing."""


def signed_in(world: Tenancy) -> tuple[GraphRequestAdapter, httpx.AsyncClient]:
    """Return the adapter of a GraphServiceClient, and the client to close in the end."""
    http = httpx.AsyncClient(transport=GraphTransport(world.app))
    return GraphRequestAdapter(AzureIdentityAuthenticationProvider(cast("Any", _Credential(world))), http), http
