"""What an ARM id says: its parts, which the clients want one by one."""

import re
from dataclasses import dataclass

_ID = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/([^/]+)/([^/]+)/([^/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in a resource group. `namespace` and `type` make its full type."""

    subscription: str
    group: str
    namespace: str
    type: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> "Resource":
        """The parts of `resource_id`, in the case in which it was written. Raises ValueError where it is no such id."""
        found = _ID.fullmatch(resource_id.rstrip("/"))
        if not found:
            raise ValueError(f"not the id of a resource in a resource group: {resource_id}")
        return cls(*found.groups())
