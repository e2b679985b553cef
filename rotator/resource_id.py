"""ARM ids: parsed once, compared without regard to letter case, rendered as written.

Rules for editors of the module: Azure takes and shows ids in any letter case, so never compare two ids as plain texts.
Keep ids in sets and as keys as `ArmId`: there, a plain text is found only in lower case.
"""

import re
from functools import lru_cache
from typing import Self

GUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
SHAPE = "/subscriptions/<GUID>/resourceGroups/<group>/providers/<namespace>/<type>/<name>"
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<provider>[^/]+)(?P<path>(?:/[^/]+/[^/]+)+)",
    re.IGNORECASE,
)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)(?:/resourceGroups/([^/]+))?", re.IGNORECASE)
_FOREIGN = re.compile(r"[^\w/.()-]")
"""No name of a resource that rotator reads or writes has such a character: in a URL or a printed command it would mean
something.
"""
_GROUP = re.compile(r"[\w.()-]{0,89}[\w()-]")
_TYPE = re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*")
_NAME = re.compile(r"(?!\.{1,2}$)[\w.()-]{1,260}")
"""Source of the three: "Naming rules and restrictions for Azure resources"."""


class ArmId(str):
    """Id in Azure Resource Manager: of a resource, a role assignment, or a scope.

    A scope is for example a subscription or a management group.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.lower() == other.lower()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.lower())

    def __lt__(self, other: str) -> bool:
        return self.lower() < other.lower()

    def __le__(self, other: str) -> bool:
        return self.lower() <= other.lower()

    def __gt__(self, other: str) -> bool:
        return self.lower() > other.lower()

    def __ge__(self, other: str) -> bool:
        return self.lower() >= other.lower()

    @property
    def name(self) -> str:
        """Last part of the id: the name of the resource."""
        return self.rpartition("/")[2]

    @property
    def subscription(self) -> str:
        """The subscription, in lower case; empty where the id is of nothing in one."""
        found = _SUBSCRIPTION.match(self)
        return found[1].lower() if found else ""

    @property
    def resource_group(self) -> str:
        """The resource group's name; empty where the id is of nothing in one."""
        found = _SUBSCRIPTION.match(self)
        return found[2] or "" if found else ""

    @property
    def short(self) -> str:
        """Resource group and name of a resource; the whole id for other objects."""
        found = _ID.match(self)
        return f"{found['group']}/{self.name}" if found else str(self)

    def encloses(self, other: str) -> bool:
        """Tell if `other` is the same scope or lies below."""
        above, below = self.strip("/").lower(), other.strip("/").lower()
        return above in ("", below) or below.startswith(above + "/")


class ResourceId(ArmId):
    """The id of a resource in a resource group, of the shape that :meth:`parse` asks for."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `text` as an id.

        Raises ValueError with the reason, without the text: a secret may stand in the wrong place.
        """
        if found := _FOREIGN.search(text):
            raise ValueError(f"it has {found[0]!a}, which no id has")
        if "//" in text or text.endswith("/"):
            raise ValueError("it has an empty part between slashes")
        if not (match := _ID.fullmatch(text)):
            raise ValueError(f"it isn't of the form {SHAPE}")
        _check(match)
        return cls(text)

    def child(self, kind: str, name: str) -> Self:
        """Return the id of a resource inside this one. Raises ValueError for an impossible name."""
        return self.parse(f"{self}/{kind}/{name}")

    @property
    def place(self) -> str:
        """The id of the resource group."""
        return "/".join(self.split("/")[:5])

    @property
    def provider(self) -> str:
        """The namespace of the resource's type: Microsoft.ContainerRegistry."""
        return _parts(str(self))["provider"]

    @property
    def path(self) -> tuple[str, ...]:
        """Types and names by turns, from the outermost resource to this one."""
        return tuple(_parts(str(self))["path"][1:].split("/"))

    @property
    def type(self) -> ArmId:
        """The full type, compared without case: Microsoft.Network/virtualNetworks/subnets."""
        return ArmId("/".join((self.provider, *self.path[::2])))


def as_written(text: str) -> tuple[str, str, str]:
    """Return subscription, resource group and name of a resource as they stand in its id, whatever their characters."""
    parts = text.split("/")
    return parts[2], parts[4], parts[8]


@lru_cache(maxsize=1024)
def _parts(text: str) -> dict[str, str]:
    match = _ID.fullmatch(text)
    if match is None:
        raise ValueError(f"an id isn't of the form {SHAPE}")
    return match.groupdict()


def _check(match: re.Match[str]) -> None:
    """Raise ValueError where a part breaks Azure's naming rules."""
    path = match["path"][1:].split("/")
    if not re.fullmatch(GUID, match["subscription"]):
        raise ValueError("its subscription isn't a GUID")
    if not _GROUP.fullmatch(match["group"]):
        raise ValueError("no resource group can have such a name")
    if not all(map(_TYPE.fullmatch, (match["provider"], *path[::2]))):
        raise ValueError("its type isn't the type of a resource")
    if not all(map(_NAME.fullmatch, path[1::2])):
        raise ValueError("no resource can have such a name")
