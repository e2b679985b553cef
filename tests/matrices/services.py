"""Services of the fast adapter: they stand for Microsoft's clients, straight over the emulator's behaviour.

The clients' decisions (an absence to believe, a complete list, a mark that counts) are rotator's own code: only the
requests are replaced.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from local_azure.aci.behaviour import TYPE
from local_azure.aci.versions import seen
from local_azure.arm.providers import PROVIDERS
from local_azure.graph import shape
from local_azure.graph.objects import Kind
from local_azure.keyvault.secret import Changes
from local_azure.keyvault.secret import Secret as SoftDeleted
from local_azure.keyvault.secret import Version as Stored
from local_azure.rbac.behaviour import Assignment as Given
from local_azure.wire import ServiceError

from rotator.clients import aci, graph, keyvault, rbac
from rotator.clients.access_mark import AccessMark
from rotator.clients.api_versions import CONTAINER_GROUPS, ApiVersion
from rotator.clients.arm import ABAC
from rotator.clients.directory import PasswordHolder, application_of, issued_of, service_principal_of
from rotator.clients.rbac import encloses
from rotator.clients.refusal import Asked
from rotator.clients.secret_versions import DeletedSecret, SecretShown
from rotator.errors import Conflict, Forbidden, NotFound, Unexpected
from rotator.policy import Policy
from rotator.ports import Issued, Put
from rotator.resource_id import ArmId, ResourceId
from rotator.state import (
    Assignment,
    ContainerGroup,
    Home,
    Permission,
    Principal,
    Registry,
    Role,
    Tags,
    Version,
    tags,
)
from tests.matrices.way import Way

T = TypeVar("T")
KINDS: dict[Home, Kind] = {Home.APPLICATION: "applications", Home.SERVICE_PRINCIPAL: "servicePrincipals"}
SECRETS = "Microsoft.KeyVault/vaults/secrets"


class Graph(graph.Graph):
    """Directory of the fast adapter."""

    def __init__(self, way: Way) -> None:
        self._way, self._directory = way, way.azure.directory

    async def password_holder(self, home: Home, app_id: str, tenant: str | None) -> PasswordHolder | None:
        """Return the application or service principal with its passwords."""
        return await self._shown(home, app_id, application_of if home is Home.APPLICATION else service_principal_of)

    async def _shown(self, home: Home, app_id: str, read: Callable[[Mapping[str, Any]], T]) -> T | None:
        kind, directory = KINDS[home], self._directory

        def look() -> T:
            return read(directory.reads.one(kind, directory.records.id_of(kind, app_id), directory.reads.glance()))

        try:
            return await self._way.read(f"graph.{kind}.get", look)
        except NotFound:
            return None

    async def holder(self, home: Home, app_id: str, select: str, tenant: str | None) -> dict[str, Any] | None:
        """Return the object's JSON."""
        return await self._shown(home, app_id, dict)

    async def federated(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """Return the federated credentials of the application."""
        application = self._directory.application(app_id)
        listed = application.federated if application and home is Home.APPLICATION else []
        return await self._way.read(
            f"graph.{KINDS[home]}.federatedIdentityCredentials.list", lambda: [dict(each) for each in listed]
        )

    async def group_name(self, group: str) -> str:
        """Return a group's id as its name: no stage names groups."""
        return group

    async def policies(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """Return no policy: no stage assigns one to an application."""
        return []

    async def default_policy(self, tenant: str | None) -> dict[str, Any]:
        """Return a disabled default policy: no stage has an enabled one."""
        return {"displayName": "", "isEnabled": False}

    async def add_password(self, principal: Principal, home: Home, display_name: str, end: datetime) -> Issued:
        """Add a password credential."""
        kind, owner = KINDS[home], principal.application if home is Home.APPLICATION else principal.service_principal

        def add() -> Issued:
            holder: Any = self._directory.records.holder(kind, owner or "")
            self._undisturbed()
            added = self._directory.add_password(holder, display_name, end=end.replace(microsecond=0))
            return issued_of(shape.password(added, added.secret), home)

        return await self._way.write(f"graph.{kind}.addPassword", add)

    async def remove_password(self, principal: Principal, home: Home, key_id: str) -> None:
        """Remove a password credential."""
        kind, owner = KINDS[home], principal.application if home is Home.APPLICATION else principal.service_principal

        def remove() -> None:
            holder: Any = self._directory.records.holder(kind, owner or "")
            self._undisturbed()
            self._directory.remove_password(holder, key_id)

        await self._way.write(f"graph.{kind}.removePassword", remove)

    def _undisturbed(self) -> None:
        if self._way.azure.faults.active("concurrency"):
            raise ServiceError(409, "Directory_ConcurrencyViolation", "Another change is going on.")


class Vault(keyvault.KeyVault):
    """Every vault."""

    def __init__(self, way: Way) -> None:
        self._way, self._vaults = way, way.azure.vaults
        self._line: Any = SimpleNamespace(clock=way.made.clock)

    def _allowed(self, vault: str, name: str, action: str) -> None:
        self._vaults.gate.require(self._way.caller, self._vaults.vault(vault), f"{action}/action", name)

    async def _asked(
        self, policy: Policy, operation: str, name: str, action: str, look: Callable[[str], T], method: str = "GET"
    ) -> T:
        vault = policy.key_vault.host.partition(".")[0]

        def asked() -> T:
            self._allowed(vault, name, action)
            return look(vault)

        if method == "GET":
            return await self._way.read(f"keyvault.{operation}", asked, f"/secrets/{name}")
        return await self._way.write(f"keyvault.{operation}", asked, method, f"/secrets/{name}")

    async def listed(self, policy: Policy, name: str) -> tuple[Version, ...]:
        found = await self._asked(
            policy, "secrets.versions", name, keyvault.LIST, lambda vault: self._vaults.versions(vault, name)
        )
        return tuple(map(_version, found))

    async def shown(self, policy: Policy, name: str, version: str = "") -> SecretShown:
        found = await self._asked(
            policy, "secrets.get", name, keyvault.GET, lambda vault: self._vaults.get(vault, name, version or None)
        )
        return SecretShown(_version(found), found.value)

    async def put(
        self,
        policy: Policy,
        name: str,
        value: str,
        *,
        expires: datetime | None = None,
        content_type: str | None = None,
        tags_: Tags | None = None,
    ) -> Version:
        def put(vault: str) -> Stored:
            labels = None if tags_ is None else dict(tags_)
            return self._vaults.set(vault, name, value, labels, content_type, exp=expires and _seconds(expires))

        return _version(await self._asked(policy, "secrets.set", name, keyvault.SET, put, "PUT"))

    async def update(
        self, policy: Policy, name: str, version: str, *, tags_: Tags | None = None, enabled: bool | None = None
    ) -> None:
        def patch(vault: str) -> None:
            labels = None if tags_ is None else dict(tags_)
            self._vaults.update(vault, name, version, Changes(enabled=enabled, tags=labels))

        await self._asked(policy, "secrets.update", name, keyvault.UPDATE, patch, "PATCH")

    async def _deleted(self, policy: Policy, name: str) -> DeletedSecret:
        found = await self._asked(
            policy, "deletedSecrets.get", name, keyvault.LIST, lambda vault: self._vaults.deleted(vault, name)
        )
        return _deleted(found)

    async def _deleted_in_list(self, policy: Policy, asked: Asked, name: str) -> DeletedSecret | None:
        found = await self._asked(policy, "deletedSecrets.list", name, keyvault.LIST, self._vaults.deleted_names)
        return next((_deleted(each) for each in found if each.name.lower() == name.lower()), None)


def _deleted(found: SoftDeleted) -> DeletedSecret:
    newest = found.newest()
    return DeletedSecret((newest and newest.tags) or {}, found.deleted_at)


class Mark(AccessMark):
    """Every access mark."""

    def __init__(self, vault: Vault, now: Callable[[], datetime]) -> None:
        super().__init__(vault._line, vault)
        self._read_at = now

    def _now(self) -> datetime:
        return self._read_at()


def _seconds(at: datetime) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()), UTC)


def _version(stored: Stored) -> Version:
    exp = stored.exp and _seconds(stored.exp)
    return Version(stored.id, _seconds(stored.created), stored.enabled, exp, stored.content_type, tags(stored.tags))


class ContainerGroups(aci.ContainerGroups):
    """Every container group."""

    def __init__(self, way: Way, now: Callable[[], datetime]) -> None:
        self._way, self._groups, self._read_at = way, way.azure.container_groups, now
        self._known: dict[str, dict[str, Any]] = {}
        """Last reading of each group: equal readings are the same object."""

    def _allowed(self, group_id: ResourceId, verb: str) -> None:
        self._way.azure.authorization.require(self._way.caller, f"{TYPE}/{verb}", group_id)

    async def group(self, group_id: ResourceId) -> ContainerGroup:
        """Return one group; absence is read as the client reads it."""

        def look() -> dict[str, Any]:
            self._allowed(group_id, "read")
            return seen(self._groups.get(group_id), aci.API_VERSION)

        try:
            document = await self._way.read("aci.containerGroups.get", look, group_id)
        except NotFound as error:
            why = None if error.code in aci.ABSENT else f"{error} (this answer does not prove that the group is absent)"
            return ContainerGroup(group_id, self._read_at(), unreadable=why)
        except (Forbidden, Unexpected) as error:
            return ContainerGroup(group_id, self._read_at(), unreadable=str(error))
        if self._known.get(group_id) != document:
            self._known[group_id] = document
        return ContainerGroup(group_id, self._read_at(), self._known[group_id])

    async def listed(self, subscription: str, version: ApiVersion = CONTAINER_GROUPS) -> tuple[Mapping[str, Any], ...]:
        """Return every group of a subscription."""
        authorization, caller = self._way.azure.authorization, self._way.caller

        def look() -> tuple[Mapping[str, Any], ...]:
            found = self._groups.list(subscription)
            readable = [
                seen(each, version.version)
                for each in found
                if authorization.allowed(caller.oid, f"{TYPE}/read", each["id"])
            ]
            if not readable:
                authorization.require(caller, f"{TYPE}/read", f"/subscriptions/{subscription}")
            return tuple(readable)

        return await self._way.read("aci.containerGroups.list", look)

    async def each(
        self, subscription: str, take: Callable[[Mapping[str, Any]], None], version: ApiVersion = CONTAINER_GROUPS
    ) -> None:
        """Give every group of :meth:`listed` to `take`."""
        for shown in await self.listed(subscription, version):
            take(shown)

    async def put(self, group_id: ResourceId, document: Mapping[str, Any]) -> Put:
        """Replace a group."""
        body = json.loads(json.dumps(document))

        def put() -> bool:
            self._allowed(group_id, "write")
            self._groups.require_unlocked(group_id, "write")
            return self._groups.put(group_id, body, aci.API_VERSION).created

        created = await self._way.write("aci.containerGroups.createOrUpdate", put, "PUT", group_id)
        return Put(self._read_at(), created)


class Arm:
    """Registries and vaults."""

    def __init__(self, way: Way) -> None:
        self._way, self._resources = way, way.azure.resources

    async def registry(self, registry_id: ResourceId) -> Registry:
        """Return a registry."""

        def look() -> Registry:
            self._way.azure.authorization.require(
                self._way.caller, "Microsoft.ContainerRegistry/registries/read", registry_id
            )
            found = self._resources.get(registry_id)
            if found is None:
                raise ServiceError(404, "ResourceNotFound", f"The Resource '{registry_id}' was not found.")
            shown = found.properties
            admin, anonymous = bool(shown.get("adminUserEnabled")), bool(shown.get("anonymousPullEnabled"))
            return Registry(
                registry_id, shown["loginServer"].lower(), shown.get("roleAssignmentMode") == ABAC, admin, anonymous
            )

        return await self._way.read("arm.registries.get", look)

    async def newest(self, known: ApiVersion, kind: str) -> ApiVersion:
        """Return the newest stable version of a type."""
        provider, _, name = kind.partition("/")
        return await self._way.read(
            "arm.providers.getAtTenant", lambda: replace(known, version=PROVIDERS[provider][name][0])
        )

    async def tokens(self, registry_id: ResourceId) -> tuple[str, ...]:
        """Return no token: no stage has one."""
        return await self._way.read("arm.registries.tokens.list", tuple)

    async def rbac_vault(self, host: str, subscriptions: tuple[str, ...]) -> ResourceId | None:
        """Return the vault of a stage, with access by roles."""
        vaults = self._way.azure.vaults
        await self._way.read("arm.resources.list", tuple)
        return await self._way.read("arm.vaults.get", lambda: ResourceId.parse(vaults.vault(host.partition(".")[0]).id))


class Authorization(rbac.Authorization):
    """Role assignments."""

    def __init__(self, way: Way) -> None:
        self._way, self._rules = way, way.azure.authorization

    def _allowed(self, verb: str, scope: str) -> None:
        self._rules.require(self._way.caller, f"Microsoft.Authorization/roleAssignments/{verb}", scope)

    async def _assigned(self, scope: str, principals: Sequence[str]) -> list[Assignment]:
        def look() -> list[Given]:
            self._allowed("read", scope)
            return self._rules.assignments(scope, principals=principals)

        return [_assignment(each) for each in await self._way.read("rbac.roleAssignments.list", look)]

    async def _assignments(self, scope: str, principal_id: str) -> list[Assignment]:
        return await self._assigned(scope, [principal_id])

    async def assigned(self, scope: str, principal_id: str) -> tuple[Assignment, ...]:
        """Return the assignments of the principal and its groups at a scope or above."""
        holders = [principal_id, *self._way.azure.directory.groups_of(principal_id)]
        return tuple(
            sorted(each for each in await self._assigned(scope, holders) if encloses(each.scope, ArmId(scope)))
        )

    async def delete(self, assignment: Assignment) -> bool:
        """Delete an assignment."""

        def delete() -> bool:
            self._allowed("delete", assignment.scope)
            return self._rules.delete(assignment.id) is not None

        return await self._way.write("rbac.roleAssignments.delete", delete, "DELETE")

    async def create(self, assignment: Assignment) -> bool:
        """Create an assignment under its recorded id; return false if it exists already."""
        if await self._there(assignment):
            return False
        now, name = self._way.azure.clock.now(), assignment.id.rsplit("/", 1)[-1]
        role = f"{'/'.join(assignment.scope.split('/')[:3])}/providers/Microsoft.Authorization/roleDefinitions/{assignment.role}"
        wanted = Given(
            "",
            name,
            assignment.scope,
            role,
            assignment.principal_id,
            now,
            now,
            now,
            "ServicePrincipal",
            assignment.condition,
        )

        def put() -> None:
            self._allowed("write", assignment.scope)
            self._rules.put(wanted, self._way.caller.oid)

        try:
            await self._way.write("rbac.roleAssignments.create", put, "PUT")
        except Conflict as error:
            if error.code == rbac.EXISTS:
                return False
            raise
        return True

    async def _there(self, assignment: Assignment) -> bool:
        return await self._way.read("rbac.roleAssignments.get", lambda: self._rules.get(assignment.id) is not None)

    async def definition(self, role: str, scope: str) -> Role:
        """Return the permissions of a role."""
        found = await self._way.read("rbac.roleDefinitions.get", lambda: self._rules.role(role))
        given = (
            Permission(*map(tuple, (p.actions, p.not_actions, p.data_actions, p.not_data_actions)))
            for p in found.permissions
        )
        return Role(found.name.lower(), found.role_name, tuple(given))

    async def role(self, name: str, scope: str) -> str:
        """Return the GUID of a role."""
        return (await self._way.read("rbac.roleDefinitions.list", lambda: self._rules.role(name))).name.lower()

    async def _may(self, action: str, resource_id: str, *, data: bool) -> bool:
        ResourceId.parse(resource_id)
        parent, caller = resource_id, self._way.caller
        return await self._way.read(
            "rbac.permissions.list", lambda: self._rules.granted(caller.oid, action, parent, data=data)
        )


def _assignment(given: Given) -> Assignment:
    return Assignment(
        ArmId(given.scope), given.role, ArmId(given.id), given.principal_id, given.condition, given.condition_version
    )
