"""Operations on a registry's credential sets: where it finds user name and password of a registry that it caches.

Source: recorded ``az acr credential-set`` (2026). Each has a system-assigned identity, which must be able to read the
secrets; whether it can is said in ``credentialHealth``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from local_azure.arm.access import CredentialSet, RegistrySettings
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import offset, stamped
from local_azure.arm.children import Children
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.replications import restamped
from local_azure.arm.shape import fields
from local_azure.wire import Call, Json, Response, Route, ServiceError

_NAMES = ("name", "usernameSecretIdentifier", "passwordSecretIdentifier")


def credential_set_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on credential sets."""
    return _Sets(registries, "credentialSets").routes()


@dataclass(frozen=True, slots=True)
class _Sets(Children[CredentialSet]):
    def held(self, access: RegistrySettings) -> dict[str, CredentialSet]:
        return access.credential_sets

    def put(self, call: Call) -> Response:
        registry, access = self._writable(call)
        given, now = fields(call.request.json(), "properties"), self.registries.resources.clock.now()
        old = access.credential_sets.get(call["child"].lower())
        credentials = _credentials(given.get("authCredentials"))
        if not isinstance(given.get("loginServer"), str) or not credentials:
            raise _invalid("A credential set needs 'loginServer' and 'authCredentials'.")
        identity = old.identity if old else self._identity(f"{registry.id}/credentialSets/{call['child']}")
        made = CredentialSet(call["child"], given["loginServer"], credentials, identity, old.created if old else now)
        made.stamp = restamped(old.stamp if old else None, call.who.app_id, now)
        access.credential_sets[call["child"].lower()] = made
        return self.written(call, registry, made, new=old is None)

    def patch(self, call: Call) -> Response:
        registry, access = self._writable(call)
        found, given = self.found(call, access), fields(call.request.json(), "properties")
        if given.get("authCredentials") is not None:
            found.credentials = _credentials(given["authCredentials"])
        found.stamp = restamped(found.stamp, call.who.app_id, self.registries.resources.clock.now())
        return self.written(call, registry, found, new=False)

    def delete(self, call: Call) -> Response:
        """Delete a set with its identity: 202, or 204 where there was none."""
        access = self.of(call, "delete")[1]
        found = access.credential_sets.get(call["child"].lower())
        response = Children.delete(self, call)
        if found:
            self.registries.resources.authorization.directory.erase(str(found.identity["principalId"]))
        return response

    def json(self, call: Call, registry: Resource, child: CredentialSet) -> Json:
        own = f"{registry.id}/credentialSets/{child.name}"
        properties = {
            "loginServer": child.server,
            "authCredentials": [{**each, "credentialHealth": self._health(child, each)} for each in child.credentials],
            "creationDate": offset(child.created),
            "provisioningState": self.state(own),
        }
        head = {"type": f"{registry.type}/credentialSets", "identity": child.identity, "id": own, "name": child.name}
        return {**head, **stamped(call, child.stamp), "properties": properties}

    def _health(self, child: CredentialSet, credential: Json) -> Json:
        """Tell if the identity may read both secrets; the vault itself is asked for nothing."""
        resources = self.registries.resources
        for name in _NAMES[1:]:
            host = urlsplit(str(credential[name])).hostname or ""
            vault, secret = resources.vault(host), str(credential[name]).rstrip("/").split("/")
            scope = f"{vault.id}/secrets/{secret[4]}" if vault and len(secret) > 4 else ""
            action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
            oid = str(child.identity["principalId"])
            if not scope or not resources.authorization.allowed(oid, action, scope, data=True):
                where = f"{host.partition('.')[0]};location={vault.location if vault else ''}"
                message = (
                    f"The user, group or application '{self._named(child)}' does not have secrets get permission on key"
                    f" vault '{where}'. For help resolving this issue, please see"
                    " https://go.microsoft.com/fwlink/?linkid=2125287"
                )
                return {"status": "Unhealthy", "errorCode": "Forbidden", "errorMessage": message}
        return {"status": "Healthy"}

    def _named(self, child: CredentialSet) -> str:
        """Return what names a set's identity in the vault's refusal (recorded in 2023)."""
        oid = str(child.identity["principalId"])
        principal = self.registries.resources.authorization.directory.principal_by_id(oid)
        app = principal.app_id if principal else ""
        issuer = f"https://sts.windows.net/{child.identity['tenantId']}/"
        return f"name=Microsoft.ContainerRegistry/registries;appid={app};oid={oid};iss={issuer}"

    def _identity(self, path: str) -> dict[str, Json]:
        directory = self.registries.resources.authorization.directory
        made = directory.create_identity(path.rsplit("/", 1)[-1], path)
        made.properties["alternativeNames"] = ["isExplicit=False", path]
        return {"principalId": made.id, "tenantId": directory.tenant, "type": "systemAssigned"}

    def _writable(self, call: Call) -> tuple[Resource, RegistrySettings]:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        return registry, access


def _credentials(given: Json) -> list[Json]:
    if not isinstance(given, list) or not all(isinstance(each, dict) and set(_NAMES) <= set(each) for each in given):
        raise _invalid(f"'authCredentials' is a list of objects with {', '.join(_NAMES)}.")
    return [{name: each[name] for name in _NAMES} for each in given]


def _invalid(message: str) -> ServiceError:
    return ServiceError(400, "InvalidRequestContent", message)
