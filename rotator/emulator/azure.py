"""One emulated Azure: the behaviour of every service over one clock, one source of ids and one set of delays.

This is the Python API that tests, the demo and the control endpoint share. The wire of each service is added by
:func:`rotator.emulator.services.build`. All that changes lives in the ``state`` of a behaviour: plain dataclasses, so that it can be
saved as JSON and compared.
"""

from dataclasses import dataclass

from rotator.emulator.aci.behaviour import ContainerGroups
from rotator.emulator.acr.behaviour import Registries
from rotator.emulator.arm.behaviour import Resources
from rotator.emulator.clock import Clock
from rotator.emulator.entra.behaviour import Tokens
from rotator.emulator.faults import Faults
from rotator.emulator.graph.behaviour import Directory
from rotator.emulator.ids import Ids
from rotator.emulator.keyvault.behaviour import Vaults
from rotator.emulator.msi.behaviour import Identities
from rotator.emulator.rbac.behaviour import Authorization
from rotator.emulator.timing import Timing


@dataclass(slots=True)
class Azure:
    """The services as objects that can be called without HTTP."""

    clock: Clock
    ids: Ids
    timing: Timing
    faults: Faults
    directory: Directory
    tokens: Tokens
    authorization: Authorization
    resources: Resources
    vaults: Vaults
    registries: Registries
    container_groups: ContainerGroups
    identities: Identities

    @classmethod
    def build(cls, clock: Clock, *, seed: int = 0, timing: Timing | None = None, tenant: str | None = None) -> "Azure":
        """An Azure with one tenant and nothing in it; `tenant` is its id, drawn from the seed if not given."""
        ids, faults, timing = Ids(seed), Faults(), timing or Timing()
        directory = Directory(clock, ids, timing, faults, tenant or ids.guid())
        tokens = Tokens(clock, ids, timing, faults, directory)
        authorization = Authorization(clock, ids, timing, faults, directory)
        resources = Resources(clock, ids, timing, faults, authorization)
        vaults = Vaults(clock, ids, timing, faults, resources, authorization)
        registries = Registries(clock, ids, timing, faults, resources, authorization, tokens)
        groups = ContainerGroups(clock, ids, timing, faults, resources, registries, vaults, authorization)
        identities = Identities(resources, directory)
        return cls(clock, ids, timing, faults, directory, tokens, authorization, resources, vaults, registries, groups, identities)
