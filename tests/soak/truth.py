"""True state of Azure, from the emulator's dump: the principal's passwords, the versions, the groups, the roles, at one
instant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.soak.emulated import Json
from tests.soak.scene import NAME, Scene

VALID_AFTER = {"prompt": 0.0, "quick": 2.0, "azure": 12.0}
"""Seconds until every replica knows a new password, by the emulator's timing."""
OURS = "rotator:"
STRANGE = "rotator:ffffffffffff:"
"""Beginning of the name of another policy's password; there is none here."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
KEY_ID, ADOPTED, COMPROMISED = "rotator-key-id", "rotator-adopted", "rotator-compromised"
ATTEMPT = "rotator-attempt"


@dataclass(frozen=True)
class Password:
    """Password of any principal; `everywhere` is the instant from which every replica knows it."""

    key_id: str
    app_id: str
    name: str
    value: str
    end: datetime
    everywhere: datetime
    gone: bool

    @property
    def ours(self) -> bool:
        return self.name.startswith(OURS) and not self.name.startswith(STRANGE)


@dataclass(frozen=True)
class Version:
    id: str
    value: str
    enabled: bool
    tags: dict[str, str]

    def listed(self, tag: str) -> set[str]:
        """Return the key ids under a tag and its continuations (`tag-…`)."""
        return {
            word
            for name, value in self.tags.items()
            if name == tag or name.startswith(f"{tag}-")
            for word in value.split(",")
        }


@dataclass(frozen=True)
class Group:
    name: str
    password: str
    tags: dict[str, str]
    settings: Json
    """Settings to be kept by a redeployment."""
    running: bool


@dataclass(frozen=True)
class Truth:
    """Parsed dump of the emulator."""

    now: datetime
    passwords: tuple[Password, ...]
    certificates: frozenset[str]
    versions: tuple[Version, ...]
    mark: str
    """Access mark: "", "revoked" or "granted"."""
    groups: dict[str, Group]
    roles: frozenset[str]
    """Every assignment, as `id principal`."""
    lagging: frozenset[str]
    """Assignments without effect yet, as Azure's take minutes."""
    secrets: frozenset[str]
    """Secrets that must be in no text: values of the vault, and each one that Entra ever issued."""

    @property
    def newest(self) -> Version | None:
        """Newest enabled version, as a GET without a version returns it."""
        return next((each for each in reversed(self.versions) if each.enabled), None)

    def of(self, value: str) -> Password | None:
        return next((each for each in self.passwords if each.value == value), None)

    def live(self, app_id: str) -> tuple[Password, ...]:
        return tuple(each for each in self.passwords if each.app_id == app_id and not each.gone and each.end > self.now)

    def marked(self, tag: str) -> set[str]:
        """Return each key id that a version names under a tag."""
        return {key for version in self.versions for key in version.listed(tag)}


def read(dump: Json, scene: Scene) -> Truth:
    """Return the truth of a dump."""
    services = dump["services"]
    now = datetime.fromisoformat(dump["now"])
    secrets = services["vaults"]["secrets"].get("myvault", {})
    versions = tuple(
        _version(each)
        for each in sorted(secrets.get(f"{NAME}-pwd", {}).get("versions", {}).values(), key=lambda one: one["order"])
    )
    values = {
        each["value"]
        for secret in secrets.values()
        if not secret["name"].endswith(("-usr", "-access"))
        for each in secret["versions"].values()
    }
    return Truth(
        now,
        tuple(_passwords(services["directory"], VALID_AFTER[scene.azure.timing])),
        frozenset(each["key_id"] for home in _homes(services["directory"]) for each in home["certificates"]),
        versions,
        _mark(secrets),
        {name: group for name in scene.groups if (group := _group(services["container_groups"], scene, name))},
        frozenset(_roles(services["authorization"])),
        frozenset(_roles(services["authorization"], after=now)),
        frozenset(values | set(dump["issued"])),
    )


def _homes(directory: Json) -> Iterator[Json]:
    for kind in ("applications", "principals"):
        yield from (home for home in directory[kind].values() if not home["deleted"])


def _passwords(directory: Json, after: float) -> Iterator[Password]:
    for home in _homes(directory):
        for each in home["passwords"]:
            usable, end = (datetime.fromisoformat(each[name]) for name in ("usable_from", "end"))
            everywhere, gone = usable + timedelta(seconds=after), each["gone_from"] is not None
            yield Password(
                each["key_id"], home["app_id"], each["display_name"] or "", each["secret"], end, everywhere, gone
            )


def _version(each: Json) -> Version:
    return Version(each["id"], each["value"], each["enabled"], each["tags"] or {})


def _mark(secrets: Json) -> str:
    versions = secrets.get(f"{NAME}-pwd-access", {}).get("versions", {}).values()
    newest = max(versions, key=lambda one: one["order"], default=None)
    return str(((newest or {}).get("tags") or {}).get("rotator-access", ""))


def _group(state: Json, scene: Scene, name: str) -> Group | None:
    found = state["groups"].get(scene.group_id(name).lower())
    if found is None:
        return None
    resource = found["resource"]
    tags = resource.get("tags") or {}
    entries = resource["properties"].get("imageRegistryCredentials") or []
    own = [each for each in entries if each.get("username", "").lower() == scene.app_id.lower()]
    phases = {each["phase"] for each in found["containers"]}
    return Group(
        name, own[0].get("password", "") if own else "", tags, _settings(resource, scene.app_id), "running" in phases
    )


def _settings(resource: Json, app_id: str) -> Json:
    """Return a stored group without the credential, rotator's tags, and Azure's defaults."""
    properties = {
        name: value for name, value in resource["properties"].items() if value not in (None, [], {}) and name != "sku"
    }
    entries = properties.pop("imageRegistryCredentials", [])
    bare = [
        {name: value for name, value in each.items() if name != "password" or each.get("username") != app_id}
        for each in entries
    ]
    containers = [{**each, "properties": _filled(each["properties"])} for each in properties.pop("containers", [])]
    tags = {name: value for name, value in (resource.get("tags") or {}).items() if not name.startswith("rotator-")}
    return {**properties, "containers": containers, "entries": bare, "tags": tags, "location": resource["location"]}


def _filled(container: Json) -> Json:
    return {name: value for name, value in container.items() if value not in (None, [], {}) and name != "instanceView"}


def _roles(authorization: Json, after: datetime = LONG_AGO) -> Iterator[str]:
    """Yield the assignments that take effect after an instant."""
    for each in authorization["assignments"].values():
        if each["gone_at"] is None and datetime.fromisoformat(each["active_from"]) > after:
            yield f"{each['id'].lower()} {each['principal_id']}"
