"""Secrets through Resource Manager, for templates: create and describe, never read.

A right on the control plane is enough; the vault requires no right of its own.

Source: the API description of Microsoft.KeyVault (vaults/secrets) and reports of template users. The texts of the
refusals are the data plane's; Resource Manager's own texts could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from local_azure.arm.behaviour import VAULTS, Resource
from local_azure.arm.paging import paged
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP
from local_azure.arm.vaults import require_version
from local_azure.keyvault.behaviour import Vaults
from local_azure.keyvault.refusals import check_name
from local_azure.keyvault.secret import Changes, Version
from local_azure.wire import Call, Json, Response, Route, ServiceError

TYPE = f"{VAULTS}/secrets"


def routes(vaults: Vaults) -> Iterator[Route]:
    """The operations on Microsoft.KeyVault/vaults/secrets."""
    of, path = _Secrets(vaults), f"{GROUP}/providers/{VAULTS}/{{name}}/secrets"
    yield Route("arm.vaults.secrets.list", "GET", path, of.list)
    yield Route("arm.vaults.secrets.get", "GET", path + "/{secret}", of.get)
    yield Route("arm.vaults.secrets.createOrUpdate", "PUT", path + "/{secret}", of.put)
    yield Route("arm.vaults.secrets.update", "PATCH", path + "/{secret}", of.patch)


@dataclass(frozen=True, slots=True)
class _Secrets:
    vaults: Vaults

    def list(self, call: Call) -> Response:
        vault = self._vault(call, "read")
        return paged(call, [_json(vault, secret.name, newest) for secret, newest in self.vaults.names(vault.name)])

    def get(self, call: Call) -> Response:
        vault = self._vault(call, "read")
        return Response.json(200, _json(vault, call["secret"], self.vaults.find(vault.name, call["secret"])))

    def put(self, call: Call) -> Response:
        """Create a new version: 201 for the first version, else 200."""
        vault, body = self._vault(call, "write"), call.request.json()
        properties, given = fields(body, "properties"), _changes(body)
        check_name(call["secret"])
        value = properties.get("value")
        if not isinstance(value, str):
            raise ServiceError(400, "BadRequest", "The property 'value' of a secret is required and must be a text.")
        first = not self.vaults.versions(vault.name, call["secret"])
        enabled = True if given.enabled is None else given.enabled
        made = self.vaults.set(
            vault.name, call["secret"], value, given.tags, given.content_type, enabled, given.exp, given.nbf
        )
        return Response.json(201 if first else 200, _json(vault, call["secret"], made))

    def patch(self, call: Call) -> Response:
        """Attributes, type or tags of the newest version; with a value, a new version."""
        vault, body = self._vault(call, "write"), call.request.json()
        self.vaults.find(vault.name, call["secret"])
        value, given = fields(body, "properties").get("value"), _changes(body)
        if isinstance(value, str):
            self.vaults.set(vault.name, call["secret"], value)
        return Response.json(
            200, _json(vault, call["secret"], self.vaults.update(vault.name, call["secret"], None, given))
        )

    def _vault(self, call: Call, verb: str) -> Resource:
        """Return the vault, if the caller may do the operation on the vault's secrets.

        Raises ServiceError 403, 404, or 409 under a lock.
        """
        resources = self.vaults.resources
        require_version(call, resources)
        path = f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}/providers/{VAULTS}/{call['name']}"
        one = f"{path}/secrets/{call['secret']}" if "secret" in call.params else path
        resources.authorization.require(call.who, f"{TYPE}/{verb}", one)
        found = resources.get(path)
        if found is None:
            message = (
                f"Failed to perform '{verb}' on resource(s) of type 'vaults/secrets', because the parent resource"
                f" '{path}' could not be found."
            )
            raise ServiceError(404, "ParentResourceNotFound", message)
        if verb == "write":
            resources.require_unlocked(one, "write")
        return found


def _changes(body: Json) -> Changes:
    """Return the changes in a body other than the value. Raises ServiceError 400."""
    properties = fields(body, "properties")
    attributes, tags, kind = fields(properties, "attributes"), tags_of(body), properties.get("contentType")
    exp, nbf = (_instant(attributes.get(name)) for name in ("exp", "nbf"))
    enabled = attributes.get("enabled")
    if (
        not isinstance(enabled, bool | None)
        or not isinstance(kind, str | None)
        or not all(isinstance(tag, str) for tag in tags.values())
    ):
        raise ServiceError(400, "BadRequest", "A secret's attributes, content type or tags have an invalid value.")
    return Changes(enabled, exp, nbf, kind, tags or None)


def _instant(seconds: Json) -> datetime | None:
    if seconds is None:
        return None
    if not isinstance(seconds, int) or not 0 <= seconds < 2**32:
        raise ServiceError(400, "BadRequest", "A date of a secret is no number of seconds.")
    return datetime.fromtimestamp(seconds, UTC)


def _json(vault: Resource, name: str, version: Version) -> Json:
    """Return a secret as shown by Resource Manager: all fields except the value."""
    times = {"nbf": version.nbf, "exp": version.exp, "created": version.created, "updated": version.updated}
    kind = {"contentType": version.content_type} if version.content_type is not None else {}
    uri = f"{vault.properties['vaultUri'].rstrip('/')}/secrets/{name}"
    attributes = {"enabled": version.enabled, **{each: int(at.timestamp()) for each, at in times.items() if at}}
    return {
        "id": f"{vault.id}/secrets/{name}",
        "name": name,
        "type": TYPE,
        "location": vault.location,
        "tags": version.tags or {},
        "properties": {
            **kind,
            "attributes": attributes,
            "secretUri": uri,
            "secretUriWithVersion": f"{uri}/{version.id}",
        },
    }
