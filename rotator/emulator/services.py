"""Puts the wires of all services behind one :class:`~rotator.emulator.app.App`."""

from collections.abc import Iterator

from rotator.emulator.aci.wire import routes as container_groups
from rotator.emulator.acr.imports import routes as imports
from rotator.emulator.acr.wire import Acr
from rotator.emulator.app import App
from rotator.emulator.arm.wire import Arm
from rotator.emulator.azure import Azure
from rotator.emulator.entra.wire import Entra
from rotator.emulator.graph.wire import Graph
from rotator.emulator.keyvault.management import routes as secrets
from rotator.emulator.keyvault.wire import KeyVault
from rotator.emulator.msi.endpoint import ManagedIdentity
from rotator.emulator.msi.wire import routes as identities
from rotator.emulator.rbac.wire import routes as authorization
from rotator.emulator.wire import Route


def build(azure: Azure, identity_header: str = "") -> App:
    """The application that answers for `azure`, over its clock, ids and faults; `identity_header` opens App Service's token endpoint."""
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
