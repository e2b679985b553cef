"""Images that start faster, because a region's hosts have them.

Source: the list of East US, recorded of Azure PowerShell in February 2023: of Windows Server 2019 only.
"""

from collections.abc import Iterator

from local_azure.wire import Json

_CORE, _NANO = "windowsservercore-ltsc2019", "nanoserver-1809"
BEFORE = (
    f"powershell:{_NANO}",
    *(f"dotnet/framework/runtime:{each}-{_CORE}" for each in ("4.8-20190418", "4.7.2-20190409", "4.7.2-20191210")),
    *(f"dotnet/framework/sdk:{each}-{_CORE}" for each in ("4.8-20190418", "4.7.2-20190409")),
    *(f"dotnet/core/runtime:{each}-{_NANO}" for each in ("2.2.4", "2.1.10", "3.0.0-preview4")),
    *(f"dotnet/core/sdk:{each}-{_NANO}" for each in ("2.2.203", "2.1.603", "3.0.100-preview4")),
    *(f"windows/nanoserver:{each}" for each in ("1809", "1809-KB4493509", "10.0.17763.437")),
    *(f"windows/servercore:{each}" for each in ("ltsc2019", "1809", "1809-KB4493509", "10.0.17763.437")),
    *(f"windows:{each}" for each in ("1809", "1809-KB4493509", "10.0.17763.437")),
)
AFTER = (
    *(f"dotnet/framework/runtime:{each}-{_CORE}" for each in ("4.8", "4.7.2", "3.5")),
    *(f"dotnet/framework/sdk:{each}-{_CORE}" for each in ("4.8", "3.5")),
    *(f"dotnet/core/runtime:{each}-{_NANO}" for each in ("2.1.17", "3.1.3", "5.0.0-preview.2")),
    *(f"dotnet/core/sdk:{each}-{_NANO}" for each in ("2.1", "3.1", "5.0.100-preview.2")),
    *(f"{each}:10.0.17763.1158-amd64" for each in ("windows/nanoserver", "windows/servercore", "windows")),
    "powershell:7.0.0-nanoserver-1809-kb4546852-amd64",
    *(f"dotnet/framework/runtime:{each}-20200908-{_CORE}" for each in ("4.8", "4.7.2", "3.5")),
    *(f"dotnet/framework/sdk:{each}-20200908-{_CORE}" for each in ("4.8", "3.5")),
)
"""Images of hosts before and after the update of February 2020, which containers must match."""


def cached_images() -> list[Json]:
    """Return the list shown by a location's ``cachedImages``."""
    return [*_of("Before", BEFORE), *_of("After", AFTER)]


def _of(when: str, images: tuple[str, ...]) -> Iterator[Json]:
    for image in images:
        version = f"Windows Server 2019 - {when} 2B"
        yield {"osType": "Windows", "osVersion": version, "image": f"mcr.microsoft.com/{image}"}
