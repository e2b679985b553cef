"""Regions in ``GET /subscriptions/{id}/locations``: a selection of each cloud's, by their real names."""

from local_azure.arm.clouds import Cloud
from local_azure.wire import Json

REGIONS = {
    "AzureCloud": (
        ("eastus", "East US", "US", "Virginia"),
        ("eastus2", "East US 2", "US", "Virginia"),
        ("southcentralus", "South Central US", "US", "Texas"),
        ("westus", "West US", "US", "California"),
        ("westus2", "West US 2", "US", "Washington"),
        ("westus3", "West US 3", "US", "Phoenix"),
        ("centralus", "Central US", "US", "Iowa"),
        ("canadacentral", "Canada Central", "Canada", "Toronto"),
        ("northeurope", "North Europe", "Europe", "Ireland"),
        ("westeurope", "West Europe", "Europe", "Netherlands"),
        ("uksouth", "UK South", "UK", "London"),
        ("francecentral", "France Central", "Europe", "Paris"),
        ("germanywestcentral", "Germany West Central", "Europe", "Frankfurt"),
        ("swedencentral", "Sweden Central", "Europe", "Gävle"),
        ("southeastasia", "Southeast Asia", "Asia Pacific", "Singapore"),
        ("australiaeast", "Australia East", "Asia Pacific", "New South Wales"),
        ("japaneast", "Japan East", "Asia Pacific", "Tokyo, Saitama"),
        ("centralindia", "Central India", "Asia Pacific", "Pune"),
        ("brazilsouth", "Brazil South", "South America", "Sao Paulo State"),
    ),
    "AzureUSGovernment": (
        ("usgovvirginia", "USGov Virginia", "US", "Virginia"),
        ("usgovarizona", "USGov Arizona", "US", "Arizona"),
    ),
    "AzureChinaCloud": (
        ("chinaeast2", "China East 2", "Asia Pacific", "Shanghai"),
        ("chinanorth3", "China North 3", "Asia Pacific", "Hebei"),
    ),
}
"""Name, display name, geography group and place, by cloud."""


def location_json(subscription: str, region: tuple[str, str, str, str]) -> Json:
    """Return a region as the list shows the region."""
    name, display, geography, place = region
    metadata = {
        "regionType": "Physical",
        "regionCategory": "Recommended",
        "geographyGroup": geography,
        "physicalLocation": place,
    }
    head = {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": display,
    }
    return {**head, "regionalDisplayName": f"({geography}) {display}", "metadata": metadata}


def locations_json(subscription: str, cloud: Cloud) -> Json:
    """All regions of a cloud."""
    return {"value": [location_json(subscription, region) for region in REGIONS[cloud.name]]}
