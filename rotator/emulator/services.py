"""Puts the wires of all services behind one :class:`~rotator.emulator.app.App`, in the order in which hosts are looked up."""

from rotator.emulator.acr.wire import Acr
from rotator.emulator.app import App
from rotator.emulator.arm.wire import Arm
from rotator.emulator.azure import Azure
from rotator.emulator.entra.wire import Entra
from rotator.emulator.graph.wire import Graph
from rotator.emulator.keyvault.wire import KeyVault


def build(azure: Azure) -> App:
    """The application that answers for `azure`, over its clock, ids and faults."""
    services = (Entra(azure), Graph(azure), KeyVault(azure), Arm(azure), Acr(azure))
    return App(azure.clock, azure.ids, services, azure.faults)
