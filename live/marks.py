"""Marks of a run: names and tags by which its things are known, and by which alone they may be deleted. Pure."""

import hashlib
import re
from dataclasses import dataclass

TAG = "rotator-live"
"""Name of the tag on resource groups, resources and vaults; its value is the run's mark."""
PREFIX = "rotator-live-"
"""Begins the display name of every Entra object that a run makes; the mark follows."""


def place(subscription: str, group: str) -> str:
    """Return eight characters that stand for a resource group, so that a later command finds what was made for it."""
    return hashlib.sha256(f"{subscription}/{group}".lower().encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Marks:
    """One run in one resource group."""

    subscription: str
    group: str
    run: str

    @property
    def mark(self) -> str:
        """Value of the tag: the place and the run."""
        return f"{place(self.subscription, self.group)}-{self.run}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything in Azure Resource Manager."""
        return {TAG: self.mark}

    @property
    def short(self) -> str:
        """Letters and digits for names that take nothing else: registries and vaults."""
        return f"rl{self.mark.replace('-', '')}"

    def called(self, what: str) -> str:
        """Return the display name of an Entra object."""
        return f"{PREFIX}{self.mark}-{what}"


def is_of(subscription: str, group: str, mark: object) -> bool:
    """Tell if a tag's value is the mark of any run for this resource group."""
    return bool(re.fullmatch(rf"{place(subscription, group)}-[0-9a-f]{{6}}", str(mark)))


def is_called_by(subscription: str, group: str, display_name: object) -> bool:
    """Tell if a display name was given by any run for this resource group."""
    return bool(re.fullmatch(rf"{PREFIX}{place(subscription, group)}-[0-9a-f]{{6}}-[a-z-]+", str(display_name)))
