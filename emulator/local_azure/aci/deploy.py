"""Control plane's part of a deployment: read the body, look every image up, put the group on a host.

The group changes only after every image could be looked up with the credential of the new resource (azure-facts G4).
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from local_azure.aci import rules
from local_azure.aci.events import views
from local_azure.aci.host import Host
from local_azure.aci.pulls import Puller, refusal, username_for
from local_azure.aci.references import References
from local_azure.aci.shape import answer, canonical, writable
from local_azure.aci.state import Container, ContainerGroup, Containers, ContainerState, GroupOperation, RefusedPull
from local_azure.acr.refusal import Refused
from local_azure.arm.assigned import user_assigned
from local_azure.arm.behaviour import Resources
from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.ids import Ids
from local_azure.timing import Timing
from local_azure.wire import Json

Properties = dict[str, Json]


class ControlPlane:
    """Deploys groups: for a PUT, a start and a restart."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        timing: Timing,
        faults: Faults,
        resources: Resources,
        references: References,
        puller: Puller,
        host: Host,
        state: Callable[[], ContainerState],
    ) -> None:
        self._clock, self._ids, self._timing, self._faults = clock, ids, timing, faults
        self._directory = resources.authorization.directory
        self._resources, self.references, self._puller, self._host, self._state = (
            resources,
            references,
            puller,
            host,
            state,
        )

    def read(self, name: str, body: Json, old: ContainerGroup | None) -> Properties:
        """Return the resource described by a PUT's body. Raises ServiceError 400."""
        resource = canonical(body)
        rules.check(name, resource)
        resource["location"] = resource["location"].replace(" ", "").lower()
        if self._faults.active("strip_tags"):
            resource["tags"] = {}
        resource = writable(resource)
        if "identity" in resource:
            resource["identity"] = self._identity(resource["identity"], old.resource.get("identity", {}) if old else {})
        return resource

    def containers(self, resource: Properties, old: ContainerGroup | None) -> Containers:
        """Return the containers of a deployment.

        Containers of a living group keep their history, and show the history until they restart.
        """
        past = {container.name: container for container in old.containers} if old and not old.terminated else {}
        properties, made = resource["properties"], Containers()
        for kind in ("initContainers", "containers"):
            for given in properties.get(kind, []):
                container = copy.deepcopy(past.get(given["name"])) or Container(given["name"], "")
                container.image, container.init, container.cached = (
                    given["properties"].get("image", ""),
                    kind == "initContainers",
                    "",
                )
                made.append(container)
        return made

    def resolve(
        self, group_id: str, resource: Properties, containers: Iterable[Container], secrets: Mapping[str, str]
    ) -> None:
        """Look every image up with the stored credential.

        Raises ServiceError 400 InaccessibleImage; each refusal is recorded.
        """
        if self._faults.active("registry_error"):
            raise rules.registry_error(next(iter(containers)).image)
        failed, forced = [], self._faults.active("inaccessible")
        for container in containers:
            try:
                if forced:
                    raise Refused("UNAVAILABLE", "a planned fault")
                container.digest = self._puller.pull(resource, container.image, "", secrets).digest
            except Refused as error:
                username = username_for(resource, container.image)
                self._state().refused.append(
                    RefusedPull(self._clock.now(), group_id, container.image, username, refusal(error))
                )
                failed.append(container.image)
        if failed:
            raise rules.inaccessible(group_id.rsplit("/", 1)[-1], list(dict.fromkeys(failed)))

    def deploy(self, group: ContainerGroup, old: ContainerGroup | None) -> GroupOperation:
        """Put `group` on a host in place of `old`, under the group's provisioning state as it is now."""
        operation = GroupOperation(
            group.operation, group.id, group.resource["location"], group.deployed, group.provisioning
        )
        self._state().operations[operation.id] = operation
        group.ip = (old.ip if old and not old.terminated else "") or self.address(group.resource)
        self._be_somebody(group)
        if old:
            self._replace(old, group)
        group.before = shown(old) if old else None
        self._plan_faults(group)
        self._host.place(group, group.deployed + timedelta(seconds=self._timing.group_pending))
        self._state().groups[group.id.lower()] = group
        if group.pooled:
            self._host.warm(group, group.deployed)
        return operation

    def forget(self, identity: Properties) -> None:
        """Delete a system-assigned identity together with the group."""
        self._directory.erase(str(identity.get("principalId", "")))

    def _be_somebody(self, group: ContainerGroup) -> None:
        """Create the missing service principal of a system-assigned identity; roles can be assigned from now on."""
        identity = group.resource.get("identity", {})
        if "systemassigned" in str(identity.get("type", "")).lower() and "principalId" not in identity:
            made = self._directory.create_identity(group.name, group.id)
            made.properties["alternativeNames"] = ["isExplicit=False", group.id]
            identity |= {"principalId": made.id, "tenantId": self._directory.tenant}

    def _replace(self, old: ContainerGroup, new: ContainerGroup) -> None:
        before = old.resource.get("identity", {})
        if before.get("principalId") != new.resource.get("identity", {}).get("principalId"):
            self.forget(before)

    def new(
        self,
        group_id: str,
        resource: Properties,
        api_version: str,
        containers: Containers,
        secrets: Mapping[str, str],
        status: str = "Pending",
    ) -> ContainerGroup:
        """Return a deployment beginning now."""
        now, operation = self._clock.now(), self._ids.guid()
        return ContainerGroup(
            group_id, resource, api_version, containers, status, now, operation, secrets=dict(secrets)
        )

    def again(self, group: ContainerGroup, *, in_place: bool) -> GroupOperation:
        """Deploy a group from the stored resource.

        `in_place`: a restart, pulling only changed images. Raises ServiceError 400 as a PUT does.
        """
        containers = self.containers(group.resource, group)
        cached = {container.name: container.cached for container in group.containers} if in_place else {}
        for container in containers:
            container.cached = cached.get(container.name, "")
        secrets = self.references.read(group.name, group.resource)
        self.resolve(group.id, group.resource, containers, secrets)
        status = "Updating" if in_place else "Pending"
        return self.deploy(self.new(group.id, group.resource, group.api_version, containers, secrets, status), group)

    def address(self, resource: Properties) -> str:
        """Return an address for a group with an `ipAddress`."""
        kind = resource["properties"].get("ipAddress", {}).get("type")
        if kind is None:
            return ""
        drawn = [int(self._ids.hex(2), 16) for _ in range(3)]
        return f"10.0.0.{4 + drawn[0] % 250}" if kind == "Private" else "20.{}.{}.{}".format(*drawn)

    def _plan_faults(self, group: ContainerGroup) -> None:
        failing = self._faults.active("failed_pull")
        if failing:
            group.pull_failures = int(failing.argument or 0) or -1
        crashing = self._faults.active("crash")
        group.crashing = float(crashing.argument or 1) if crashing else 0.0
        group.fails = self._faults.active("failed_lro") is not None

    def _identity(self, given: Properties, old: Properties) -> Properties:
        """Return the identity with the tenant.

        A group with only user-assigned identities has a tenant too, but no principal (recorded).
        """
        identity = {name: value for name, value in given.items() if name not in ("principalId", "tenantId")}
        if "systemassigned" in str(given.get("type", "")).lower():
            identity |= {name: old[name] for name in ("principalId", "tenantId") if name in old}
        if "userAssignedIdentities" in given:
            identity["userAssignedIdentities"] = {
                name: user_assigned(self._resources, name) for name in given["userAssignedIdentities"]
            }
            identity["tenantId"] = self._directory.tenant
        return identity


def shown(group: ContainerGroup, *, fresh: bool = False) -> Properties:
    """Return a group as a GET shows the group.

    `fresh`: as in the answer to the PUT creating the group, before an address is known (recorded).
    """
    view = {"": {"events": [], "state": "Pending"}} if fresh else views(group)
    ip = "" if fresh else group.ip
    resource = _unaddressed(group.resource) if fresh else group.resource
    return answer(group.id, resource, group.provisioning, ip, view, pooled=group.pooled)


def _unaddressed(resource: Properties) -> Properties:
    """Return a new group without the address that it will have in a subnet (recorded)."""
    properties = resource["properties"]
    kept = {name: value for name, value in properties.items() if name != "ipAddress" or not properties.get("subnetIds")}
    return {**resource, "properties": kept}
