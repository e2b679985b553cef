"""Marks of a run: names and tags of its resources. Only marked resources may be deleted. Pure."""

import hashlib
import re
from dataclasses import dataclass

TAG = "rotator-live"
"""Name of the tag on resource groups, resources and vaults; its value is the run's mark."""
PREFIX = "rotator-live-"
"""Beginning of the display name of a run's Entra objects; the mark follows."""


def place(subscription: str, group: str) -> str:
    """Return eight characters for a resource group, by which later commands find the resources of its runs."""
    return hashlib.sha256(f"{subscription}/{group}".lower().encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of one run in one resource group."""

    subscription: str
    group: str
    run: str

    @property
    def mark(self) -> str:
        """Value of the tag: the place and the run."""
        return f"{place(self.subscription, self.group)}-{self.run}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of each resource of the run in Azure Resource Manager."""
        return {TAG: self.mark}

    @property
    def short(self) -> str:
        """Mark in letters and digits alone, as names of registries and vaults allow."""
        return f"rl{self.mark.replace('-', '')}"

    def called(self, what: str) -> str:
        """Return the display name of an Entra object."""
        return f"{PREFIX}{self.mark}-{what}"


def is_of(subscription: str, group: str, mark: object) -> bool:
    """Tell if a tag's value is the mark of any run for the resource group."""
    return bool(re.fullmatch(rf"{place(subscription, group)}-[0-9a-f]{{6}}", str(mark)))


def is_called_by(subscription: str, group: str, display_name: object) -> bool:
    """Tell if a display name was given by any run for the resource group."""
    return bool(re.fullmatch(rf"{PREFIX}{place(subscription, group)}-[0-9a-f]{{6}}-[a-z-]+", str(display_name)))
