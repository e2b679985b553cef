"""Doors: for each operation of Azure the method of `World` that asks for it, and the reading of its answer.

A read's answer becomes a set of facts, by which an old or incomplete answer is recognised. A write's effect is looked
up in the emulator's state.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rotator.clients.principals import by_app_id
from rotator.clients.vault_lists import walked
from rotator.engine import Run
from rotator.errors import AzureError
from rotator.resource_id import ArmId
from rotator.state import Assignment, ContainerGroup, Home, Outcome, Principal, Proof, RegistryAccess, Secret, SignIns
from tests.matrices.effects import Effect
from tests.matrices.kinds import Way
from tests.matrices.scene import BARE, LATELY
from tests.stage import Stage

PROVIDER = "Microsoft.ContainerInstance/containerGroups"
IMAGE = "mycontainerregistry.azurecr.io/aci-helloworld:v1"
Facts = frozenset[Any]


# doors


@dataclass(frozen=True)
class At:
    """Stage with a run on it; `not_after` is the deadline of a write."""

    made: Stage
    run: Run
    not_after: float | None = None

    @property
    def world(self) -> Any:
        return self.run.world

    @property
    def policy(self) -> Any:
        return self.run.policy

    @property
    def principal(self) -> Principal:
        return Principal(self.made.app_id, self.made.application.id, self.made.principal.id)

    @property
    def later(self) -> dict[str, float | None]:
        return {"not_after": self.not_after}


@dataclass(frozen=True)
class Door:
    """Way of rotator to an operation.

    `shown` turns a read's answer into facts, or into a class; `truth` reads from the emulator the state that a write
    changes.
    """

    operation: str
    call: Callable[[At], Awaitable[Any]]
    shown: Callable[[Any], Facts | Effect] = lambda answer: frozenset({repr(answer)})
    truth: Callable[[Stage], Any] | None = None
    proof: bool = False
    repeated: bool = False
    """True if a write is sent again after an unusable answer."""

    @property
    def writes(self) -> bool:
        return self.truth is not None

    @property
    def way(self) -> Way:
        """Way of asking for the operation."""
        if self.truth:
            return Way.AGAIN if self.repeated else Way.ONCE
        return Way.PROOF if self.proof else Way.READ

    def __str__(self) -> str:
        return f"{self.operation}@{self.way}"


# facts of answers


def _each(answer: Iterable[Any]) -> Facts:
    return frozenset(map(repr, answer))


def _keys(home: Home) -> Callable[[Iterable[Any]], Facts]:
    return lambda answer: frozenset(each.key_id for each in answer if each.home is home)


def _owned(*homes: Home) -> Callable[[Iterable[Any]], Facts]:
    return lambda answer: frozenset(
        {each.app_id for each in answer}
        | {(each.app_id, home) for each in answer for home in each.owned if home in homes}
    )


def _proof(proof: Proof) -> Facts | Effect:
    if proof.outcome is Outcome.UNREACHABLE:
        return Effect.UNKNOWN
    if proof.outcome is not Outcome.PROVEN:
        return Effect.NO
    return Effect.GONE if proof.missing else frozenset({proof.served})


def _group(group: ContainerGroup) -> Facts | Effect:
    if group.unreadable:
        return Effect.UNKNOWN
    return frozenset() if group.document is None else frozenset({repr(group.document.get("tags"))})


def _right(rights: Any) -> Facts | Effect:
    (right,) = rights
    return Effect.UNKNOWN if right.allowed is None else frozenset({"allowed"} if right.allowed else ())


def _permissions(found: Any) -> Facts | Effect:
    if found.unknown:
        return Effect.UNKNOWN
    return frozenset({*map(repr, found.limits), f"refused {found.vault_refused}"})


def _picture(answer: tuple[RegistryAccess, ...]) -> Facts | Effect:
    (found,) = answer
    if found.unread or {each.role for each in found.assignments} - {role.id for role in found.roles}:
        return Effect.UNKNOWN
    return frozenset(map(repr, (found.registry, *found.assignments, *found.roles, *found.groups, *found.tokens)))


def _means(found: SignIns) -> Facts | Effect:
    return Effect.UNKNOWN if found.unread else frozenset(map(repr, found.keys))


def _reached(found: Any) -> Facts | Effect:
    (registry,) = found.registries
    return frozenset({"reached"}) if registry.reached is None else Effect.UNKNOWN


def _secret(value: Secret) -> Facts:
    return frozenset({value.reveal()})


# effects of writes


def _passwords(made: Stage) -> Any:
    return [password.key_id for password in made.credentials()]


def _objects(made: Stage) -> Any:
    state = made.azure.directory.state
    return [(one.id, *one.owners) for one in state.applications.values()], [
        (one.id, *one.owners) for one in state.principals.values()
    ]


def _secrets(made: Stage) -> Any:
    return made.versions()


def _roles(made: Stage) -> Any:
    return [each.id for each in made.azure.authorization.assignments()]


def _stored(made: Stage) -> Any:
    return repr(made.azure.container_groups.stored(made.group_id("app")))


# the calls


def _end(at: At) -> Any:
    return at.made.azure.clock.now() + timedelta(days=90)


def _named(at: At, name: str) -> Any:
    return next(each for each in at.made.azure.directory.state.applications.values() if each.display_name == name)


def _newcomers(at: At) -> list[str]:
    return [
        each.app_id for each in at.made.azure.directory.state.applications.values() if each.display_name == "newcomer"
    ]


def _add(home: Home) -> Callable[[At], Awaitable[Any]]:
    return lambda at: at.world.add_password(at.principal, home, "rotator:abc:1", _end(at), **at.later)


def _remove(home: Home) -> Callable[[At], Awaitable[Any]]:
    def call(at: At) -> Awaitable[Any]:
        holder = at.made.application if home is Home.APPLICATION else at.made.principal
        return at.world.remove_password(at.principal, home, holder.passwords[0].key_id, **at.later)  # type: ignore[no-any-return]

    return call


def _own(home: Home) -> Callable[[At], Awaitable[Any]]:
    def call(at: At) -> Awaitable[Any]:
        unowned = _named(at, "unowned")
        principal = at.made.azure.directory.principal(unowned.app_id)
        assert principal
        object_id = unowned.id if home is Home.APPLICATION else principal.id
        return at.world.own(home, object_id, at.made.seeded.operator.object_id)  # type: ignore[no-any-return]

    return call


def _new_role(at: At) -> Assignment:
    scope, role = at.made.seeded.registry_id, at.made.azure.authorization.role("AcrDelete").name
    name = f"{scope}/providers/Microsoft.Authorization/roleAssignments/99999999-8888-7777-6666-555555555555"
    return Assignment(ArmId(scope), role, ArmId(name), at.made.principal.id)


def _role(at: At) -> Assignment:
    held = at.made.azure.authorization.assignments(at.made.seeded.registry_id, principals=[at.made.principal.id])
    (found,) = (each for each in held if each.role == at.made.azure.authorization.role("AcrPull").name)
    return Assignment(ArmId(found.scope), found.role, ArmId(found.id), found.principal_id)


def _put(at: At) -> Awaitable[Any]:
    body = at.made.body(at.made.app_id, at.made.by_hand.secret) | {"tags": {"owner": "rotator"}}
    return at.world.put_group(at.made.group_id("app"), body, **at.later)  # type: ignore[no-any-return]


def _publish(at: At) -> Awaitable[Any]:
    return at.world.publish(at.policy, Secret("a newer value"), _end(at), None, (), **at.later)  # type: ignore[no-any-return]


def _mark(at: At) -> Awaitable[Any]:
    version = at.made.versions()[0].id
    return at.world.mark_version(at.policy, version, tags=(("a", "b"),), **at.later)  # type: ignore[no-any-return]


def _prove(at: At) -> Awaitable[Any]:
    return at.world.prove(at.policy, Secret(at.made.application.passwords[0].secret), [IMAGE])  # type: ignore[no-any-return]


def _names(answer: tuple[RegistryAccess, ...]) -> Facts | Effect:
    """Return the names of groups; a group without a known name is left out."""
    named = [name for found in answer for group, name in found.groups if name != group]
    return frozenset(named) if named else Effect.UNKNOWN


def _limited(at: At) -> Awaitable[Any]:
    """Read the permissions of a policy for the service principal, which no app management policy limits."""
    policy = at.policy.model_copy(
        update={"principal": at.policy.principal.model_copy(update={"home": Home.SERVICE_PRINCIPAL})}
    )
    return at.world.permissions(policy, ())  # type: ignore[no-any-return]


def _read(operation: str, call: Callable[[At], Awaitable[Any]], shown: Callable[[Any], Facts | Effect] = _each) -> Door:
    return Door(operation, call, shown)


async def _principals(at: At) -> Any:
    tenant = at.made.azure.directory.tenant
    return _known((await by_app_id(at.world.graph, [at.made.app_id], tenant, foreign=False))[at.made.app_id])


async def _walked(at: At) -> Any:
    return _known(await walked(at.world.vault, [at.policy]))


def _known(found: Any) -> Any:
    if isinstance(found, AzureError):
        raise found
    return found


def _access(at: At) -> Awaitable[Any]:
    return at.world.registry_access(at.policy, at.made.principal.id)  # type: ignore[no-any-return]


def _permitted(at: At) -> Awaitable[Any]:
    return at.world.permissions(at.policy, ())  # type: ignore[no-any-return]


def _of(at: At) -> Awaitable[Any]:
    return at.world.identities(_named(at, LATELY).app_id, None)  # type: ignore[no-any-return]


DOORS = (
    _read("entra.token", lambda at: at.world.signed_in()),
    Door("entra.token", _prove, _proof, proof=True),
    Door("acr.token", _prove, _proof, proof=True),
    Door("acr.manifests.head", _prove, _proof, proof=True),
    _read("acr.challenge", lambda at: at.world.examine(at.policy, ()), _reached),
    _read("graph.applications.get", lambda at: at.world.credentials(at.policy), _keys(Home.APPLICATION)),
    _read("graph.servicePrincipals.get", lambda at: at.world.credentials(at.policy), _keys(Home.SERVICE_PRINCIPAL)),
    _read("graph.applications.list", lambda at: at.world.identities(None, "unowned"), _owned()),
    _read(
        "graph.servicePrincipals.list",
        lambda at: at.world.principals([at.made.app_id, *_newcomers(at)]),
        lambda answer: _each(answer.items()),
    ),
    _read("graph.batch", _principals, lambda found: frozenset(each.key_id for each in found[1])),
    _read("graph.applications.owners.list", _of, _owned(Home.APPLICATION)),
    _read("graph.servicePrincipals.owners.list", _of, _owned(Home.SERVICE_PRINCIPAL)),
    _read("graph.applications.federatedIdentityCredentials.list", lambda at: at.world.sign_ins(at.policy), _means),
    _read("graph.applications.appManagementPolicies.list", _permitted, _permissions),
    _read("graph.servicePrincipals.appManagementPolicies.list", _limited, _permissions),
    _read("graph.defaultAppManagementPolicy.get", _limited, _permissions),
    _read("graph.groups.get", _access, _names),
    Door("graph.applications.addPassword", _add(Home.APPLICATION), truth=_passwords),
    Door("graph.servicePrincipals.addPassword", _add(Home.SERVICE_PRINCIPAL), truth=_passwords),
    Door("graph.applications.removePassword", _remove(Home.APPLICATION), truth=_passwords),
    Door("graph.servicePrincipals.removePassword", _remove(Home.SERVICE_PRINCIPAL), truth=_passwords),
    Door(
        "graph.applications.upsert",
        lambda at: at.world.create_application("made", "key"),
        truth=_objects,
        repeated=True,
    ),
    Door(
        "graph.servicePrincipals.create",
        lambda at: at.world.create_service_principal(_named(at, BARE).app_id),
        truth=_objects,
        repeated=True,
    ),
    Door("graph.applications.owners.add", _own(Home.APPLICATION), truth=_objects, repeated=True),
    Door("graph.servicePrincipals.owners.add", _own(Home.SERVICE_PRINCIPAL), truth=_objects, repeated=True),
    _read("keyvault.secrets.get", lambda at: at.world.value(at.policy), _secret),
    _read(
        "keyvault.secrets.versions",
        lambda at: at.world.versions(at.policy),
        lambda answer: frozenset(each.id for each in answer),
    ),
    _read("keyvault.secrets.list", _walked, lambda found: _each(found.newest.items())),
    _read("keyvault.deletedSecrets.list", _walked, lambda found: frozenset(found.deleted)),
    _read(
        "keyvault.deletedSecrets.get",
        lambda at: at.world.access(at.policy),
        lambda found: _each([found.access] if found.deleted else ()),
    ),
    Door("keyvault.secrets.set", _publish, truth=_secrets),
    Door("keyvault.secrets.update", _mark, truth=_secrets, repeated=True),
    _read("arm.registries.get", lambda at: at.world.registries(at.policy)),
    _read("arm.registries.list", lambda at: at.world.registries_of(at.made.seeded.subscription)),
    _read("arm.locks.list", lambda at: at.world.arm.locks(at.made.group_id("app"))),
    _read("arm.resources.list", _permitted, _permissions),
    _read("arm.providers.getAtTenant", lambda at: at.world.newer_groups([at.made.seeded.subscription])),
    _read("arm.vaults.get", _permitted, _permissions),
    _read("arm.subscriptions.list", lambda at: at.world.subscriptions()),
    _read("arm.tokens.list", _access, _picture),
    _read(
        "rbac.permissions.list", lambda at: at.world.rights([(f"{PROVIDER}/write", at.made.group_id("app"))]), _right
    ),
    _read("rbac.roleAssignments.list", lambda at: at.world.assignments(at.policy, at.made.principal.id)),
    _read("rbac.roleAssignments.get", lambda at: at.world.standing([_role(at)])),
    _read(
        "rbac.roleDefinitions.list",
        lambda at: at.world.role("AcrPull", at.made.policy.registries[0].id),
        lambda role: frozenset({role}),
    ),
    _read("rbac.roleDefinitions.get", _access, _picture),
    Door(
        "rbac.roleAssignments.create",
        lambda at: at.world.create_assignment(_new_role(at), **at.later),
        truth=_roles,
        repeated=True,
    ),
    Door(
        "rbac.roleAssignments.delete",
        lambda at: at.world.delete_assignment(_role(at), **at.later),
        truth=_roles,
        repeated=True,
    ),
    _read("aci.containerGroups.get", lambda at: at.world.group(at.made.group_id("app")), _group),
    _read(
        "aci.containerGroups.list",
        lambda at: at.world.groups_of(at.made.seeded.subscription),
        lambda all_: frozenset(repr((g["id"], g["tags"])) for g in all_),
    ),
    _read(
        "aci.containers.listLogs",
        lambda at: at.world.logs(at.made.group_id("talker"), "app"),
        lambda text: frozenset({text} if text else ()),
    ),
    Door("aci.containerGroups.createOrUpdate", _put, truth=_stored),
)
"""Every way of rotator to an operation of Azure."""
