"""Regions in ``GET /subscriptions/{id}/locations``: a selection of each cloud's, by their real names.

Source: a recorded list of the public cloud (azure-cli, 2024); the other clouds' have fewer properties.
"""

from typing import NamedTuple

from local_azure.arm.clouds import PUBLIC, Cloud
from local_azure.wire import Json


class Region(NamedTuple):
    """A region: name, display name, geography group and place, and what is known of it beside."""

    name: str
    display: str
    group: str
    place: str
    geography: str = ""
    longitude: str = ""
    latitude: str = ""
    paired: str = ""


REGIONS = {
    "AzureCloud": (
        Region("eastus", "East US", "US", "Virginia", "United States", "-79.8164", "37.3719", "westus"),
        Region("eastus2", "East US 2", "US", "Virginia", "United States", "-78.3889", "36.6681", "centralus"),
        Region(
            "southcentralus", "South Central US", "US", "Texas", "United States", "-98.5", "29.4167", "northcentralus"
        ),
        Region("westus", "West US", "US", "California", "United States", "-122.417", "37.783", "eastus"),
        Region("westus2", "West US 2", "US", "Washington", "United States", "-119.852", "47.233", "westcentralus"),
        Region("westus3", "West US 3", "US", "Phoenix", "United States", "-112.074036", "33.448376", "eastus"),
        Region("centralus", "Central US", "US", "Iowa", "United States", "-93.6208", "41.5908", "eastus2"),
        Region("canadacentral", "Canada Central", "Canada", "Toronto", "Canada", "-79.383", "43.653", "canadaeast"),
        Region("northeurope", "North Europe", "Europe", "Ireland", "Europe", "-6.2597", "53.3478", "westeurope"),
        Region("westeurope", "West Europe", "Europe", "Netherlands", "Europe", "4.9", "52.3667", "northeurope"),
        Region("uksouth", "UK South", "Europe", "London", "United Kingdom", "-0.799", "50.941", "ukwest"),
        Region("francecentral", "France Central", "Europe", "Paris", "France", "2.373", "46.3772", "francesouth"),
        Region(
            "germanywestcentral",
            "Germany West Central",
            "Europe",
            "Frankfurt",
            "Germany",
            "8.682127",
            "50.110924",
            "germanynorth",
        ),
        Region("swedencentral", "Sweden Central", "Europe", "Gävle", "Sweden", "17.14127", "60.67488", "swedensouth"),
        Region(
            "southeastasia",
            "Southeast Asia",
            "Asia Pacific",
            "Singapore",
            "Asia Pacific",
            "103.833",
            "1.283",
            "eastasia",
        ),
        Region(
            "australiaeast",
            "Australia East",
            "Asia Pacific",
            "New South Wales",
            "Australia",
            "151.2094",
            "-33.86",
            "australiasoutheast",
        ),
        Region("japaneast", "Japan East", "Asia Pacific", "Tokyo, Saitama", "Japan", "139.77", "35.68", "japanwest"),
        Region("centralindia", "Central India", "Asia Pacific", "Pune", "India", "73.9197", "18.5822", "southindia"),
        Region(
            "brazilsouth",
            "Brazil South",
            "South America",
            "Sao Paulo State",
            "Brazil",
            "-46.633",
            "-23.55",
            "southcentralus",
        ),
    ),
    "AzureUSGovernment": (
        Region("usgovvirginia", "USGov Virginia", "US", "Virginia"),
        Region("usgovarizona", "USGov Arizona", "US", "Arizona"),
    ),
    "AzureChinaCloud": (
        Region("chinaeast2", "China East 2", "Asia Pacific", "Shanghai"),
        Region("chinanorth3", "China North 3", "Asia Pacific", "Hebei"),
    ),
}
"""The regions of each cloud."""
UNLISTED = (
    *("eastasia", "koreacentral", "koreasouth", "indonesiacentral", "malaysiawest", "newzealandnorth", "westindia"),
    *("australiacentral", "australiacentral2", "jioindiawest", "norwayeast", "norwaywest", "switzerlandnorth"),
    *("switzerlandwest", "polandcentral", "italynorth", "spaincentral", "austriaeast", "uaenorth", "uaecentral"),
    *("southafricanorth", "southafricawest", "israelcentral", "qatarcentral", "mexicocentral", "chilecentral"),
    *("jioindiacentral", "belgiumcentral", "denmarkeast", "northcentralus", "westcentralus"),
    *("brazilsoutheast", "eastus2euap", "centraluseuap"),
)
"""More of the public cloud's regions, where a resource may be and which the list leaves out."""
OTHERS = ("westus",)
"""Regions that aren't recommended."""
ZONELESS = ("westus",)
"""Regions without availability zones."""
FULL_SINCE = "2022"
"""The first api-version that shows a region's type and geography, and with them its zones (2020-01-01 does not)."""
_ZONES = (("1", 3), ("2", 1), ("3", 2))


def location_json(subscription: str, region: Region, version: str) -> Json:
    """Return a region as the list shows the region in an api-version."""
    full = version >= FULL_SINCE
    head = {
        "id": f"/subscriptions/{subscription}/locations/{region.name}",
        "name": region.name,
        **({"type": "Region"} if full else {}),
        "displayName": region.display,
    }
    zones = [{"logicalZone": zone, "physicalZone": f"{region.name}-az{number}"} for zone, number in _ZONES]
    zoned = full and region.paired and region.name not in ZONELESS
    metadata = _metadata(subscription, region)
    if not full:
        metadata.pop("geography", None)
    shown = {**head, "regionalDisplayName": f"({region.group}) {region.display}", "metadata": metadata}
    return {**shown, **({"availabilityZoneMappings": zones} if zoned else {})}


def _metadata(subscription: str, region: Region) -> dict[str, Json]:
    category = "Other" if region.name in OTHERS else "Recommended"
    kind = {"regionType": "Physical", "regionCategory": category}
    if not region.paired:
        return {**kind, "geographyGroup": region.group, "physicalLocation": region.place}
    pair = {"name": region.paired, "id": f"/subscriptions/{subscription}/locations/{region.paired}"}
    return {
        **kind,
        "geography": region.geography,
        "geographyGroup": region.group,
        "longitude": region.longitude,
        "latitude": region.latitude,
        "physicalLocation": region.place,
        "pairedRegion": [pair],
    }


def locations_json(subscription: str, cloud: Cloud, version: str) -> Json:
    """All regions of a cloud."""
    return {"value": [location_json(subscription, region, version) for region in REGIONS[cloud.name]]}


def region_names(cloud: Cloud) -> list[str]:
    """Return the names of all of a cloud's regions, listed or not, in order."""
    known = [name for region in REGIONS[cloud.name] for name in (region.name, region.paired) if name]
    return sorted({*known, *(UNLISTED if cloud == PUBLIC else ())})


def display_names(cloud: Cloud) -> list[str]:
    """Return the regions of a cloud as providers name them."""
    return [region.display for region in REGIONS[cloud.name]]
