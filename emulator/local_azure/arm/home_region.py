"""The replication of a registry's home region, made by Azure at a zone-redundant creation, or with the first other one.

Source: recordings of azure-cli (2021, 2024). The registries' own service principal makes it.
"""

from datetime import datetime

from local_azure.arm.access import RegistrySettings, Replication, Stamp
from local_azure.arm.state import Resource

PROVIDER = "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26"
"""The application of the registries' provider."""


def bring_home(registry: Resource, access: RegistrySettings, now: datetime) -> None:
    """Add the home region's replication to a registry without one."""
    home = registry.location.replace(" ", "").lower()
    if all(each.location != home for each in access.replications.values()):
        zones = str(registry.properties["zoneRedundancy"])
        access.replications[home] = Replication(home, home, {}, now, zones=zones, stamp=Stamp.new(PROVIDER, now))


def is_zonal(registry: Resource) -> bool:
    """Tell if a registry is spread over the zones of its region."""
    return registry.properties.get("zoneRedundancy") == "Enabled"
