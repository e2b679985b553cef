"""Puts the wires of all services behind one :class:`~rotator.emulator.app.App`."""

from rotator.emulator.aci.wire import routes as container_groups
from rotator.emulator.acr.wire import Acr
from rotator.emulator.app import App
from rotator.emulator.arm.wire import Arm
from rotator.emulator.azure import Azure
from rotator.emulator.entra.wire import Entra
from rotator.emulator.graph.wire import Graph
from rotator.emulator.keyvault.wire import KeyVault
from rotator.emulator.rbac.wire import routes as authorization


def build(azure: Azure) -> App:
    """The application that answers for `azure`, over its clock, ids and faults."""
    providers = (*authorization(azure.authorization), *container_groups(azure.container_groups))
    services = (
        Entra(azure),
        Graph(azure),
        KeyVault(azure.tokens, azure.vaults),
        Arm(azure.tokens, azure.resources, providers),
        Acr(azure.registries, azure.tokens),
    )
    return App(azure.clock, azure.ids, services, azure.faults)
