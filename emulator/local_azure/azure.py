"""One emulated Azure: the behaviour of every service over one clock, one source of ids and one set of delays.

The Python API shared by tests, the demo and the control endpoint. The wire of each service is added by
:func:`local_azure.services.build`. All changes are in the ``state`` of a behaviour: plain dataclasses, to be saved as
JSON and compared.
"""

from dataclasses import dataclass

from local_azure.aci.behaviour import ContainerGroups
from local_azure.acr.behaviour import Registries
from local_azure.arm.behaviour import Resources
from local_azure.clock import Clock
from local_azure.entra.behaviour import Tokens
from local_azure.faults import Faults
from local_azure.graph.behaviour import Directory
from local_azure.ids import Ids
from local_azure.keyvault.behaviour import Vaults
from local_azure.msi.behaviour import Identities
from local_azure.rbac.behaviour import Authorization
from local_azure.timing import Timing


@dataclass(slots=True)
class Azure:
    """Services as objects with methods, called without HTTP."""

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
        """Build an Azure with one empty tenant; `tenant` is the tenant's id, drawn from the seed if not given."""
        ids, faults, timing = Ids(seed), Faults(), timing or Timing()
        directory = Directory(clock, ids, timing, faults, tenant or ids.guid())
        tokens = Tokens(clock, ids, timing, faults, directory)
        authorization = Authorization(clock, ids, timing, faults, directory)
        resources = Resources(clock, ids, timing, faults, authorization)
        vaults = Vaults(clock, ids, timing, faults, resources, authorization)
        registries = Registries(clock, ids, timing, faults, resources, authorization, tokens)
        groups = ContainerGroups(clock, ids, timing, faults, resources, registries, vaults, authorization)
        identities = Identities(resources, directory)
        return cls(
            clock,
            ids,
            timing,
            faults,
            directory,
            tokens,
            authorization,
            resources,
            vaults,
            registries,
            groups,
            identities,
        )
