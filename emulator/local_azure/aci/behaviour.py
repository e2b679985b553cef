"""Azure's rules of container groups: PUT, image checks, stop, start and restart.

The credential in use is the one *stored in the group*. The control plane tries the credential at PUT, start and restart
(a refusal is 400 InaccessibleImage and changes nothing). The host tries the credential afterwards, and again at every
move of the group by the platform. Every refused pull is kept in `refused`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from local_azure.aci import logs, probes, rules
from local_azure.aci.admission import Admission
from local_azure.aci.budget import ContainerBudget
from local_azure.aci.deploy import ControlPlane, shown
from local_azure.aci.events import history
from local_azure.aci.host import Host
from local_azure.aci.profiles import Profiles
from local_azure.aci.pulls import Puller
from local_azure.aci.quotas import Quotas
from local_azure.aci.references import References
from local_azure.aci.shape import KNOWN, answer
from local_azure.aci.standby import drawn
from local_azure.aci.state import Condition, Container, ContainerGroup, ContainerState, GroupOperation, RefusedPull
from local_azure.acr.behaviour import Registries
from local_azure.arm.behaviour import Resource, Resources
from local_azure.clock import Clock, iso
from local_azure.faults import Faults
from local_azure.ids import Ids
from local_azure.keyvault.behaviour import Vaults
from local_azure.rbac.behaviour import Authorization
from local_azure.rbac.scopes import encloses
from local_azure.timing import Timing
from local_azure.wire import Json, ServiceError, copied

TYPE = "Microsoft.ContainerInstance/containerGroups"


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a PUT: whether the group is new, its body, and the operation to follow."""

    created: bool
    body: dict[str, Json]
    operation: GroupOperation


class ContainerGroups:
    """All container groups of the tenant.

    Ids are full ARM ids, in any case; unless said otherwise an unknown one is 404 ResourceNotFound.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        timing: Timing,
        faults: Faults,
        resources: Resources,
        registries: Registries,
        vaults: Vaults,
        authorization: Authorization,
    ) -> None:
        self.clock, self.ids, self.timing, self.faults = clock, ids, timing, faults
        self.resources, self.registries, self.vaults, self.authorization = resources, registries, vaults, authorization
        self.state = ContainerState()
        self.known = KNOWN
        self.quotas = Quotas(lambda: self.state)
        self._admission = Admission(faults, self.quotas, lambda: self.state)
        self.profiles = Profiles(resources, lambda: self.state)
        self._puller = Puller(resources, registries)
        self._host = Host(clock, timing, self._puller, lambda: self.state)
        references = References(resources, vaults)
        self._plane = ControlPlane(
            clock, ids, timing, faults, resources, references, self._puller, self._host, lambda: self.state
        )
        resources.also.append(self._as_resources)
        resources.removers.append(self._remove_all)
        resources.taggers.append(self._tag)

    @property
    def refused(self) -> list[RefusedPull]:
        """All refused pulls, in order: the measure of an outage.

        Groups are settled first, so that no refused pull is missing.
        """
        self.settle()
        return self.state.refused

    @property
    def budget(self) -> ContainerBudget:
        """The remaining PUTs and DELETEs of a subscription."""
        return ContainerBudget(self.clock, self.state)

    def settle(self) -> None:
        """Bring every group to the present."""
        for group in self.state.groups.values():
            self._host.settle(group)

    def put(self, group_id: str, body: Json, api_version: str = "2023-05-01") -> Written:
        """Create or replace a group. Properties missing in `body` go back to their defaults; hidden values are lost.

        Raises ServiceError: 404 ResourceGroupNotFound; 400 InvalidRequestContent and similar codes (see rules.py and
        bounds.py), InaccessibleImage, InvalidContainerGroupUpdate, ContainerGroupQuotaReached; 409
        ContainerGroupTransitioning, InvalidResourceLocation, ServiceUnavailable; 429.
        """
        parts = group_id.strip("/").split("/")
        self.resources.resource_group(parts[1], parts[3])
        self.budget.spend("put", parts[1])
        old = self._find(group_id)
        body, pooled = drawn(body, self.profiles.stored)
        if api_version <= self.known:
            rules.check_known(body)
        resource = self._plane.read(parts[-1], body, old)
        self._admission.check(old.id if old else "/" + group_id.strip("/"), old, resource)
        containers, secrets = self._plane.containers(resource, old), self._plane.references.read(parts[-1], resource)
        group = self._plane.new(
            old.id if old else "/" + group_id.strip("/"), resource, api_version, containers, secrets
        )
        group.pooled = pooled
        self._plane.resolve(group.id, resource, containers, secrets)
        operation = self._plane.deploy(group, old)
        return Written(old is None, shown(group, fresh=old is None and not pooled), operation)

    def get(self, group_id: str) -> dict[str, Json]:
        """Return the group as a GET shows the group."""
        stale = self.faults.active("stale")
        group = self._find(group_id)
        if stale:
            return self._stale(group_id, group)
        return shown(group or self._absent(group_id))

    def exists(self, group_id: str) -> bool:
        """Tell if the group exists."""
        return self._find(group_id) is not None

    def list(self, subscription: str, resource_group: str | None = None) -> list[dict[str, Json]]:
        """The groups of a subscription or resource group, in the order of their ids, without any instance view."""
        return [*self.listed(subscription, resource_group)]

    def listed(
        self, subscription: str, resource_group: str | None = None, after: str = ""
    ) -> Iterator[dict[str, Json]]:
        """Yield the groups of :meth:`list` behind the id `after`, each as it is asked for."""
        if resource_group is not None:
            self.resources.resource_group(subscription, resource_group)
        scope = f"/subscriptions/{subscription}/" + (f"resourceGroups/{resource_group}/" if resource_group else "")
        keys = sorted(key for key in self.state.groups if key > after and key.startswith(scope.lower()))
        return self._shown_in_list(keys, stale=self.faults.active("stale") is not None)

    def _shown_in_list(self, keys: Iterable[str], *, stale: bool) -> Iterator[dict[str, Json]]:
        for key in keys:
            if (group := self._find(key)) is None:
                continue
            if not stale:
                yield answer(group.id, group.resource, group.provisioning, group.ip, None, pooled=group.pooled)
            elif group.before:
                yield _listed(group.before)

    def patch_tags(self, group_id: str, tags: dict[str, str]) -> dict[str, Json]:
        """Replace the tags, at once and without a restart; returns the group as a GET shows it."""
        group = self._known(group_id)
        group.before = shown(group)
        group.resource["tags"] = dict(tags)
        return shown(group)

    def _tag(self, group_id: str, tags: dict[str, str]) -> None:
        if self._find(group_id):
            self.patch_tags(group_id, tags)

    def delete(self, group_id: str) -> dict[str, Json] | None:
        """Delete a group and return its last body; None if there was none. Raises ServiceError 429."""
        self.budget.spend("delete", group_id.strip("/").split("/")[1])
        group = self._find(group_id)
        if group is None:
            return None
        last = shown(group)
        self.state.deleted[group.id.lower()] = last
        del self.state.groups[group.id.lower()]
        self._plane.forget(group.resource.get("identity", {}))
        return last

    def _remove_all(self, scope: str) -> None:
        """The resource group `scope` is deleted, and all container groups in it."""
        for group in [each for each in self.state.groups.values() if encloses(scope, each.id)]:
            self.state.deleted[group.id.lower()] = shown(group)
            del self.state.groups[group.id.lower()]
            self._plane.forget(group.resource.get("identity", {}))

    def stop(self, group_id: str) -> None:
        """End all containers, at once; no effect on those that have ended.

        Raises ServiceError 409 ContainerGroupTransitioning.
        """
        group = self._free(group_id)
        group.before, now = shown(group), self.clock.now()
        if group.terminated:
            return
        for container in group.containers:
            self._stop(container, now)
        operation = self._host.operation(group)
        if operation.status not in ("Succeeded", "Failed"):
            operation.status = "Failed"
        group.provisioning = "Succeeded"

    def start(self, group_id: str) -> GroupOperation | None:
        """Deploy a stopped or ended group as new, from the stored resource; None if the group runs already.

        Raises ServiceError: 400 InaccessibleImage, 409 ContainerGroupTransitioning.
        """
        group = self._free(group_id)
        return self._plane.again(group, in_place=False) if group.terminated else None

    def restart(self, group_id: str) -> GroupOperation:
        """Restart all containers in place.

        The host looks images with an unchanged digest up, without pulling them again. A restart under way is the
        answer to another one (recorded of Azure PowerShell, 2023 and 2024).

        Raises ServiceError: 400 InaccessibleImage, 409 ContainerGroupTransitioning.
        """
        under_way = self._known(group_id)
        if under_way.provisioning == "Updating" and not self.faults.active("transitioning"):
            return self._host.operation(under_way)
        group = self._free(group_id)
        try:
            return self._plane.again(group, in_place=not group.terminated)
        except ServiceError as error:
            raise rules.not_restarted(group.name, error) from error

    def logs(self, group_id: str, container: str, tail: int | None = None, *, timestamps: bool = False) -> str:
        """Return the log of a container, or the last `tail` lines of the log.

        Raises ServiceError: 404 ContainerNotFound; ContainerLogNotAvailable before the container's start.
        """
        found, now = self._container(group_id, container), self.clock.now()
        return logs.shown(self._known(group_id).name, found, tail, now, timestamps=timestamps)

    def operation(self, operation_id: str) -> dict[str, Json]:
        """Return a long-running operation as the operation's URL shows it.

        The operation's id is the group's id, and the operation has no end time. Raises 404 ResourceNotFound.
        """
        found = self.state.operations.get(operation_id.lower())
        if found is None:
            raise ServiceError(404, "ResourceNotFound", f"The operation '{operation_id}' could not be found.")
        group = self._find(found.group)
        events = history(group) if group and group.operation == found.id else []
        seen: dict[str, Json] = {"id": found.group, "status": found.status, "startTime": iso(found.started)}
        return seen if group and group.pooled else {**seen, "properties": {"events": events}}

    def stored(self, group_id: str) -> dict[str, Json]:
        """Return the stored resource *with* the hidden values, never shown to a client."""
        return copied(self._known(group_id).resource)

    def could_pull(self, group_id: str) -> bool:
        """Tell if the group would survive a host move now: the stored credentials can pull every image in use.

        For invariants: the check asks every replica of the token endpoint, uses up no replica's turn and records no
        pull.
        """
        group = self._known(group_id)
        return all(
            self._puller.could_pull(group.resource, container.image, container.digest, group.secrets)
            for container in group.containers
        )

    def move_host(self, group_id: str) -> bool:
        """Let the platform move a group: kill the containers and pull the images with the stored credential.

        False if a pull was refused (see `refused`): the container waits, and the host retries. A group already ended or
        stopped isn't moved.
        """
        group = self._known(group_id)
        if group.terminated:
            return True
        group.ip = self._plane.address(group.resource)
        return self._host.move(group, self.clock.now())

    def crash(self, group_id: str, container: str, exit_code: int = 1) -> None:
        """Let a running container end now with `exit_code`; the restart policy decides the next step.

        ValueError if the container isn't running.
        """
        found = self._container(group_id, container)
        if found.phase != "running":
            raise ValueError(f"container {container} is {found.phase}, not running")
        self._host.end(self._known(group_id), found, exit_code, self.clock.now())

    def fail_probe(self, group_id: str, container: str, kind: probes.Kind = "liveness") -> None:
        """Let a running container's probe fail as often as the probe's threshold allows.

        ValueError if the container has no such probe, or isn't running.
        """
        probes.fail(self._host, self._known(group_id), self._container(group_id, container), kind, self.clock.now())

    def require_unlocked(self, group_id: str, verb: str) -> None:
        """Raises ServiceError 409 ScopeLocked where a lock forbids ``write`` or ``delete``."""
        self.resources.require_unlocked(group_id, verb)

    def _stop(self, container: Container, at: datetime) -> None:
        if container.current and container.current.state == "Running":
            container.previous = container.current
        container.current = Condition("Terminated", "Container stopped per client request", finish=at)
        container.phase, container.due, container.attempts = "stopped", None, 0

    def _find(self, group_id: str) -> ContainerGroup | None:
        group = self.state.groups.get("/" + group_id.strip("/").lower())
        if group:
            self._host.settle(group)
        return group

    def _known(self, group_id: str) -> ContainerGroup:
        return self._find(group_id) or self._absent(group_id)

    def _absent(self, group_id: str) -> ContainerGroup:
        parts = group_id.strip("/").split("/")
        self.resources.resource_group(parts[1], parts[3])
        message = f"The Resource '{'/'.join(parts[5:])}' under resource group '{parts[3]}' was not found."
        help_link = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        raise ServiceError(404, "ResourceNotFound", f"{message} {help_link}")

    def _free(self, group_id: str) -> ContainerGroup:
        group = self._known(group_id)
        if self.faults.active("transitioning") or group.busy:
            raise rules.transitioning(group.name)
        return group

    def _container(self, group_id: str, name: str) -> Container:
        group = self._known(group_id)
        found = next((container for container in group.containers if container.name == name), None)
        if found is None:
            raise ServiceError(
                404, "ContainerNotFound", f"The container '{name}' does not exist in container group '{group.name}'."
            )
        return found

    def _stale(self, group_id: str, group: ContainerGroup | None) -> dict[str, Json]:
        before = group.before if group else self.state.deleted.get("/" + group_id.strip("/").lower())
        if before is None:
            self._absent(group_id)
        return copied(before or {})

    def _as_resources(self, subscription: str) -> Iterable[Resource]:
        for body in self.list(subscription):
            group = self.state.groups[body["id"].lower()]
            yield Resource(
                group.id,
                group.name,
                TYPE,
                body["location"],
                body["properties"],
                body.get("tags", {}),
                group.deployed,
                group.deployed,
                identity=body.get("identity"),
            )


def _listed(shown_: dict[str, Json]) -> dict[str, Json]:
    """A group as a list shows it: without the instance view of a GET."""
    slim = copied(shown_)
    slim["properties"].pop("instanceView", None)
    return slim


__all__ = ["ContainerGroups", "RefusedPull", "Written"]
