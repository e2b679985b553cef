"""Raw JSON of container groups, read and changed without regard to the letter case of property names, as by ACI.

ACI answers in camelCase, but hand-written JSON (manifests, other tools) may differ. Names of data rather than
properties (environment variables, files of a secret volume) are values here or are read exactly.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rotator.resource_id import GUID
from rotator.secret import CLIENT_ID, CLIENT_SECRET, HINT, SHORTEST, passwords_in

_GUID = re.compile(rf"(?<![\w-]){GUID}(?![\w-])")
TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - a user name
"""The user name beside which a password is a registry's own refresh token, and no principal's (Azure/acr,
AAD-OAuth.md).
"""
Json = dict[str, Any]
"""A JSON object that may be changed."""
Value = Any
"""Whatever JSON has in a place: what isn't known here must not be narrowed."""


def get(node: Value, *names: str) -> Value:
    """The value at the end of a path of property names; None where anything on the way is missing or null."""
    for name in names:
        try:
            node = node[name]
        except KeyError:
            node = _spelled_otherwise(node, name)
        except TypeError:
            return None
    return node


def _spelled_otherwise(node: Mapping[str, Value], name: str) -> Value:
    length, lower = len(name), name.lower()
    for key in node:
        if len(key) == length and key.lower() == lower:
            return node[key]
    return None


def text(node: Value, *names: str) -> str:
    """The same for a string; empty where there is none."""
    found = get(node, *names)
    return found if isinstance(found, str) else ""


def objects(node: Value, *names: str) -> tuple[Value, ...]:
    """The JSON objects in an array; what is not an object is not ours to understand."""
    found = get(node, *names)
    if not isinstance(found, (list, tuple)):
        return ()
    return tuple([item for item in found if isinstance(item, (dict, Mapping))])


def put(node: Json, name: str, value: Value) -> None:
    """Set a property under its existing spelling, and under one spelling only."""
    spelled = next((key for key in node if same(key, name)), name)
    for key in [key for key in node if same(key, name) and key != spelled]:
        del node[key]
    node[spelled] = value


def drop(node: Value, *names: str) -> None:
    """Remove properties, in any spelling, where they are."""
    if isinstance(node, dict):
        for key in [key for key in node if any(same(key, name) for name in names)]:
            del node[key]


def same(one: Value, other: str) -> bool:
    """Tell if two property names mean the same property."""
    return isinstance(one, str) and (one == other or one.lower() == other.lower())


def plain(value: Value) -> Value:
    """A deep copy in plain dicts and lists, so that no parser's or frozen container reaches an edit.

    Dates become ISO 8601.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def containers(document: Value) -> Iterator[tuple[str, Value]]:
    """Every container and init container, each with the first part of its paths in a policy."""
    for kind, name in (("containers", "containers"), ("init_containers", "initContainers")):
        for container in objects(document, "properties", name):
            yield kind, container


def entries(document: Value) -> tuple[Value, ...]:
    """The registry credentials of a group."""
    return objects(document, "properties", "imageRegistryCredentials")


def server(entry: Value) -> str:
    """Return the host name of a registry entry, in lower case.

    ACI wants the host name without protocol (InvalidImageRegistryServer).
    """
    return text(entry, "server").strip().lower().removeprefix("https://").rstrip("/")


def belongs(entry: Value, app_id: str) -> bool:
    """Tell if an entry's user name is this principal.

    Registry user names of principals are app ids, in any letter case.
    """
    return user_name(entry) == app_id.lower()


def user_name(entry: Value) -> str:
    """The user name of an entry, in lower case."""
    return text(entry, "username").strip().lower()


def principal_of(entry: Value) -> str | None:
    """Return the app id, in lower case, of the password in an entry; None without a principal's password."""
    return as_app_id(user_name(entry)) if takes_password(entry) else None


def as_app_id(name: str) -> str | None:
    """The user name as an app id; None where it isn't a principal's."""
    return name if re.fullmatch(GUID, name) and name != TOKEN else None


def pulls_as(document: Value, app_id: str) -> bool:
    """Tell if any registry credential of a group has this principal's user name."""
    return any(belongs(entry, app_id) for entry in entries(document))


def variables(container: Value) -> tuple[Value, ...]:
    """The environment variables of a container."""
    return objects(container, "properties", "environmentVariables")


def shown_values(container: Value) -> frozenset[str]:
    """Return the visible values of a container's variables, and each GUID in them or in the command, in lower case.

    A connection string or `az login --username` shows an app id, too.
    """
    values = [text(variable, "value").strip().lower() for variable in variables(container)]
    command = (each.lower() for each in _list(get(container, "properties", "command")) if isinstance(each, str))
    return frozenset(values).union(*(_GUID.findall(each) for each in (*values, *command)))


def _list(node: Value) -> Sequence[Value]:
    return node if isinstance(node, (list, tuple)) else ()


def names(document: Value) -> frozenset[str]:
    """Return the user names of a group's registry credentials and what its containers show, in lower case."""
    values = (shown_values(container) for _, container in containers(document))
    return frozenset(user_name(entry) for entry in entries(document)).union(*values)


def shows_app_id(document: Value, app_id: str) -> bool:
    """Tell if a variable or the command of any container shows the app id."""
    return any(app_id.lower() in shown_values(container) for _, container in containers(document))


def hides_client_secret(document: Value) -> bool:
    """Tell if a container hides a variable named like a client secret, without a client id in plain sight."""
    return any(_hides(variables(container)) for _, container in containers(document))


def _hides(found: Sequence[Value]) -> bool:
    hidden = any(get(one, "value") is None and CLIENT_SECRET.search(text(one, "name")) for one in found)
    return hidden and not any(get(one, "value") and CLIENT_ID.search(text(one, "name")) for one in found)


def registry_servers(document: Value) -> tuple[str, ...]:
    """Return the registry hosts a group uses with a password, sorted."""
    return tuple(sorted({server(entry) for entry in entries(document) if takes_password(entry)}))


def user_names(document: Value) -> tuple[str, ...]:
    """The principals as whom a group pulls with a password: user names that are app ids, in lower case and sorted."""
    return tuple(sorted({name for entry in entries(document) if (name := principal_of(entry))}))


def takes_password(entry: Value) -> bool:
    """Tell if an entry holds a password of its own.

    False for an identity, or a reference into Key Vault (azure-facts A12, B8).
    """
    return not (get(entry, "identity") or get(entry, "passwordReference"))


def registry_of(image: str) -> str:
    """The host name in an image's name, in lower case; empty for Docker Hub's short names."""
    host, slash, _ = image.partition("/")
    return host.lower() if slash and ("." in host or ":" in host or host == "localhost") else ""


def restart_policy(document: Value) -> str:
    """``always``, ``onfailure`` or ``never``; ACI's default is Always (azure-facts A7)."""
    return text(document, "properties", "restartPolicy").lower() or "always"


def texts(body: Value, without: Collection[int] = ()) -> Iterator[tuple[str, str]]:
    """Yield each text that is long enough for a password, with its path.

    An object whose `id()` is in `without` is left out, with all that is in it.
    """
    left: list[tuple[str, Value]] = [("", body)]
    while left:
        place, node = left.pop()
        if isinstance(node, str):
            yield place, node
        elif isinstance(node, Mapping) and id(node) not in without:
            left += [(f"{place}.{name}".lstrip("."), value) for name, value in node.items() if _may_hold(value)]
        elif isinstance(node, (list, tuple)):
            left += [(f"{place}[{nth}]", value) for nth, value in enumerate(node) if _may_hold(value)]


def _may_hold(value: Value) -> bool:
    return len(value) >= SHORTEST if isinstance(value, str) else isinstance(value, (Mapping, list, tuple))


def hints(document: Value) -> frozenset[str]:
    """Return the hints of the passwords of Entra that a group shows in plain sight."""
    return frozenset(each[:HINT] for _, text in texts(document) for each in passwords_in(text))
