"""Puts the wires of all services behind one :class:`~local_azure.app.App`."""

from collections.abc import Iterator

from local_azure.aci.wire import routes as container_groups
from local_azure.acr.imports import routes as imports
from local_azure.acr.wire import Acr
from local_azure.app import App
from local_azure.arm.wire import Arm
from local_azure.azure import Azure
from local_azure.entra.wire import Entra
from local_azure.graph.wire import Graph
from local_azure.keyvault.management import routes as secrets
from local_azure.keyvault.wire import KeyVault
from local_azure.msi.endpoint import ManagedIdentity
from local_azure.msi.wire import routes as identities
from local_azure.rbac.wire import routes as authorization
from local_azure.wire import Route


def build(azure: Azure, identity_header: str = "") -> App:
    """Build the application for `azure`, over the clock, ids and faults of `azure`.

    `identity_header` opens App Service's token endpoint.
    """
    services = (
        Entra(azure),
        Graph(azure),
        KeyVault(azure.tokens, azure.vaults),
        Arm(azure.tokens, azure.resources, _providers(azure)),
        Acr(azure.registries, azure.tokens),
        ManagedIdentity(azure, identity_header),
    )
    return App(azure.clock, azure.ids, services, azure.faults)


def _providers(azure: Azure) -> Iterator[Route]:
    """The operations of Resource Manager's providers."""
    yield from authorization(azure.authorization)
    yield from container_groups(azure.container_groups)
    yield from identities(azure.identities)
    yield from secrets(azure.vaults)
    yield from imports(azure.registries)
