"""App management policies: the tenant's default one, those for single applications, and to whom they are assigned."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from local_azure.graph import odata, permissions, policies, queries
from local_azure.graph.access import KEYS, DirectoryAccess
from local_azure.graph.objects import Holder, Home, Policy
from local_azure.graph.queries import Kindred
from local_azure.graph.refusals import already_there, missing
from local_azure.graph.routes.passwords import HOMES
from local_azure.graph.routes.tenant import OBJECT
from local_azure.wire import Call, Response, Route

POLICY = Kindred("microsoft.graph.appManagementPolicy", frozenset({"id", "deletedDateTime", *policies.CUSTOM}))
DEFAULT = Kindred("microsoft.graph.tenantAppManagementPolicy", frozenset({"id", "deletedDateTime", *policies.DEFAULT}))


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on app management policies."""
    of = _Policies(access)
    default, custom = "/v1.0/policies/defaultAppManagementPolicy", "/v1.0/policies/appManagementPolicies"
    yield Route("graph.defaultAppManagementPolicy.get", "GET", default, of.default)
    yield Route("graph.defaultAppManagementPolicy.update", "PATCH", default, of.update_default)
    yield Route("graph.appManagementPolicies.list", "GET", custom, of.list)
    yield Route("graph.appManagementPolicies.create", "POST", custom, of.create)
    yield Route("graph.appManagementPolicies.get", "GET", f"{custom}/{{policy}}", of.get)
    yield Route("graph.appManagementPolicies.update", "PATCH", f"{custom}/{{policy}}", of.update)
    yield Route("graph.appManagementPolicies.delete", "DELETE", f"{custom}/{{policy}}", of.delete)
    yield Route("graph.appManagementPolicies.appliesTo", "GET", f"{custom}/{{policy}}/appliesTo", of.applies_to)
    verbs: tuple[tuple[str, str, str, Callable[[Home, Call], Response]], ...] = (
        ("list", "GET", "", of.assigned),
        ("add", "POST", "/$ref", of.assign),
        ("remove", "DELETE", "/{policy}/$ref", of.unassign),
    )
    for home in HOMES:
        for verb, method, rest, handler in verbs:
            for key in KEYS:
                path = f"/v1.0/{home}{key}/appManagementPolicies{rest}"
                yield Route(f"graph.{home}.appManagementPolicies.{verb}", method, path, partial(handler, home))


@dataclass(frozen=True, slots=True)
class _Policies:
    access: DirectoryAccess

    # the tenant's

    def default(self, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_READERS)
        wanted = queries.of_one(call.request.query, DEFAULT)
        content = {**policies.DEFAULT, **self.access.directory.state.tenant_policy}
        body = {"id": policies.DEFAULT_ID, "deletedDateTime": None, **content}
        return odata.entity(call, "policies/defaultAppManagementPolicy", queries.shown(body, wanted.select))

    def update_default(self, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_WRITERS)
        changes = policies.checked(odata.members(call), policies.DEFAULT, "TenantAppManagementPolicy")
        self.access.undisturbed()
        self.access.directory.state.tenant_policy.update(changes)
        return odata.done()

    # those for single applications

    def list(self, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_READERS)
        bodies = [_body(policy) for policy in self.access.directory.state.policies.values()]
        return odata.slice_of(call, "policies/appManagementPolicies", bodies, queries.query(call.request, POLICY))

    def create(self, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_WRITERS)
        content = policies.checked(odata.members(call), policies.CUSTOM, "AppManagementPolicy", new=True)
        self.access.undisturbed()
        directory = self.access.directory
        made = Policy(directory.ids.guid(), {**policies.CUSTOM, **content})
        directory.state.policies[made.id] = made
        return odata.entity(call, "policies/appManagementPolicies", _body(made), status=201)

    def get(self, call: Call) -> Response:
        wanted = queries.of_one(call.request.query, POLICY)
        body = _body(self._policy(call, permissions.POLICY_READERS))
        return odata.entity(call, "policies/appManagementPolicies", queries.shown(body, wanted.select))

    def update(self, call: Call) -> Response:
        policy = self._policy(call, permissions.POLICY_WRITERS)
        changes = policies.checked(odata.members(call), policies.CUSTOM, "AppManagementPolicy")
        self.access.undisturbed()
        policy.content.update(changes)
        return odata.done()

    def delete(self, call: Call) -> Response:
        policy, state = self._policy(call, permissions.POLICY_WRITERS), self.access.directory.state
        self.access.undisturbed()
        for holder in self._holders(policy):
            holder.policies.remove(policy.id)
        del state.policies[policy.id]
        return odata.done()

    def applies_to(self, call: Call) -> Response:
        found = self._holders(self._policy(call, permissions.POLICY_READERS))
        return odata.slice_of(
            call,
            "directoryObjects",
            [self.access.typed(holder) for holder in found],
            queries.query(call.request, OBJECT),
        )

    def _policy(self, call: Call, wanted: frozenset[str]) -> Policy:
        self.access.require(call, wanted)
        return self._named(call["policy"])

    def _named(self, key: str) -> Policy:
        found = self.access.directory.state.policies.get(key.lower())
        if found is None:
            raise missing(key)
        return found

    def _holders(self, policy: Policy) -> tuple[Holder, ...]:
        state = self.access.directory.state
        everybody: tuple[Holder, ...] = (*state.applications.values(), *state.principals.values())
        return tuple(holder for holder in everybody if policy.id in holder.policies and holder.deleted is None)

    # who has which

    def assigned(self, home: Home, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_READERS)
        found = [_body(self._named(each)) for each in self._holder(home, call).policies]
        return odata.slice_of(call, "appManagementPolicies", found, queries.query(call.request, POLICY))

    def assign(self, home: Home, call: Call) -> Response:
        self.access.require(call, permissions.POLICY_WRITERS)
        holder, policy = (
            self._holder(home, call),
            self._named(str(odata.body_of(call).get("@odata.id")).rstrip("/").rpartition("/")[2]),
        )
        if policy.id in holder.policies:
            raise already_there("appManagementPolicies")
        self.access.undisturbed()
        holder.policies[:] = [policy.id]
        return odata.done()

    def unassign(self, home: Home, call: Call) -> Response:
        policy, holder = self._policy(call, permissions.POLICY_WRITERS), self._holder(home, call)
        if policy.id not in holder.policies:
            raise missing(policy.id)
        self.access.undisturbed()
        holder.policies.remove(policy.id)
        return odata.done()

    def _holder(self, home: Home, call: Call) -> Holder:
        return cast("Holder", self.access.directory.records.holder(home, self.access.key(home, call)))


def _body(policy: Policy) -> dict[str, Any]:
    return {"id": policy.id, "deletedDateTime": None, **policy.content}
