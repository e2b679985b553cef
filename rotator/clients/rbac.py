"""Role assignments, role definitions and rotator's own rights, through azure-mgmt-authorization.

Source: Authorization REST 2022-04-01. A list at a scope with ``principalId eq`` shows assignments at, above and below
the scope; DELETE answers 204 for an absent assignment.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import Permission as Granted
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignment, RoleAssignmentCreateParameters, RoleDefinition

from rotator.clients.pages import ask_all
from rotator.clients.pipeline import Line, together
from rotator.clients.refusal import Asked
from rotator.clients.token import Token
from rotator.clients.translation import ABSENT, ask
from rotator.clients.typed import text, text_or_none
from rotator.cloud import Cloud
from rotator.codes import FailureCode
from rotator.errors import AzureError, Conflict, NotFound, OutcomeUnknown, Unseen
from rotator.preflight import Right
from rotator.resource_id import ArmId, ResourceId
from rotator.rights import DELETE_ASSIGNMENT, ROLE_ASSIGNMENTS, WRITE_ASSIGNMENT
from rotator.state import Assignment, Permission, Role

SERVICE = "Azure role-based access control"
_NAMES_ONE = re.compile(r"(/.*)?/providers/Microsoft\.Authorization/roleAssignments/[^/?#]+", re.IGNORECASE)
MANAGEMENT = ArmId("/providers/Microsoft.Management")
EXISTS, GONE, NO_CONTENT = "RoleAssignmentExists", 404, 204


class Authorization:
    """RBAC client of one signed-in identity. Its routes name scopes, so one client serves all subscriptions."""

    def __init__(self, line: Line, cloud: Cloud, token: Token) -> None:
        self._line, self._cloud, self._token = line, cloud, token
        self._clients: dict[str, AuthorizationManagementClient] = {}

    async def close(self) -> None:
        """Close the clients; the session stays open."""
        for client in self._clients.values():
            await client.close()

    def _client(self, scope: ArmId) -> AuthorizationManagementClient:
        subscription = scope.subscription
        if subscription not in self._clients:
            self._clients[subscription] = AuthorizationManagementClient(
                self._token,  # type: ignore[arg-type]
                subscription,
                base_url=self._cloud.arm,
                **self._line.signed(self._token, self._cloud.arm_scope, self._cloud.arm),
            )
        return self._clients[subscription]

    async def assignments(self, scopes: Sequence[ArmId], principal_id: str) -> tuple[Assignment, ...]:
        """Return every assignment of the principal at, above or below any of `scopes`."""
        found = await together(*(self._assignments(scope, principal_id) for scope in scopes))
        return tuple(sorted({each.id: each for some in found for each in some}.values()))

    async def assigned(self, scope: ArmId, principal_id: str) -> tuple[Assignment, ...]:
        """Return the principal's assignments at `scope` or above, including those through a group.

        Source: azure-facts F1 (``assignedTo``).
        """
        found = await self._listed(scope, f"assignedTo('{principal_id}')")
        return tuple(sorted(each for each in found if encloses(each.scope, scope)))

    async def _assignments(self, scope: ArmId, principal_id: str) -> list[Assignment]:
        return await self._listed(scope, f"principalId eq '{principal_id}'")

    async def _listed(self, scope: ArmId, wanted: str) -> list[Assignment]:
        asked = Asked(SERVICE, f"list role assignments at {scope}", f"{ROLE_ASSIGNMENTS}/read on {scope}")
        pages = self._client(scope).role_assignments.list_for_scope(scope, filter=wanted)
        return [await ask(asked, _assignment(each)) for each in await ask_all(asked, pages)]

    async def delete(self, assignment: Assignment) -> bool:
        """Delete an assignment; False if already gone."""
        asked = Asked(SERVICE, f"delete role assignment {assignment.id}", f"{DELETE_ASSIGNMENT} on {assignment.scope}")

        async def deleting() -> bool:
            client = self._client(assignment.id).role_assignments
            answer: Any = await client.delete_by_id(assignment.id, cls=_with_status)
            status, shown = answer
            return status != NO_CONTENT and _is(assignment, shown)

        try:
            return await ask(asked, deleting())
        except (NotFound, OutcomeUnknown) as error:
            if error.status != GONE or error.code not in ABSENT or await self._there(assignment):
                raise
            return False

    async def create(self, assignment: Assignment) -> bool:
        """Create an assignment under its recorded id; False if already present, even under another id."""
        asked = Asked(SERVICE, f"create role assignment {assignment.id}", f"{WRITE_ASSIGNMENT} on {assignment.scope}")
        if await self._there(assignment):
            return False
        body = RoleAssignmentCreateParameters(
            role_definition_id=(
                f"{_subscription(assignment.scope)}/providers/Microsoft.Authorization/roleDefinitions/{assignment.role}"
            ),
            principal_id=assignment.principal_id,
            principal_type="ServicePrincipal",
            condition=assignment.condition,
            condition_version=assignment.condition_version,
        )
        try:
            await ask(asked, self._made(assignment, body))
        except (Conflict, OutcomeUnknown) as error:
            if error.code == EXISTS:
                return False
            raise
        return True

    async def _made(self, assignment: Assignment, body: RoleAssignmentCreateParameters) -> None:
        _is(assignment, await self._client(assignment.id).role_assignments.create_by_id(assignment.id, body))

    async def standing(self, assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
        """Return the assignments that exist now, by their ids."""
        there = await together(*(self._there(each) for each in assignments))
        return tuple(each for each, is_there in zip(assignments, there, strict=True) if is_there)

    async def definition(self, role: str, scope: ArmId) -> Role:
        """Return the actions a role allows, by its GUID. Raises NotFound, Forbidden."""
        asked = Asked(
            SERVICE, f"read role {role} at {scope}", f"Microsoft.Authorization/roleDefinitions/read on {scope}"
        )
        return await ask(asked, self._definition(role, scope))

    async def _definition(self, role: str, scope: ArmId) -> Role:
        shown = await self._client(scope).role_definitions.get(scope, role)
        return Role(role.lower(), text(shown.role_name), tuple(_permission(each) for each in shown.permissions or ()))

    async def _there(self, assignment: Assignment) -> bool:
        """Tell if the assignment exists; a PUT answers 201 for an existing assignment, too, so a GET comes first."""
        needs = f"{ROLE_ASSIGNMENTS}/read on {assignment.scope}"
        asked = Asked(SERVICE, f"read role assignment {assignment.id}", needs)

        async def reading() -> bool:
            return _is(assignment, await self._client(assignment.id).role_assignments.get_by_id(assignment.id))

        try:
            return await ask(asked, reading())
        except Unseen:
            raise
        except NotFound:
            return False

    async def role(self, name: str, scope: ArmId) -> str:
        """Return the GUID of a role by its name. Raises NotFound."""
        asked = Asked(
            SERVICE, f"look up role {name} at {scope}", f"Microsoft.Authorization/roleDefinitions/read on {scope}"
        )
        quoted = name.replace("'", "''")
        pages = self._client(scope).role_definitions.list(scope, filter=f"roleName eq '{quoted}'")
        names = await ask(asked, _role_names(await ask_all(asked, pages)))
        if names:
            return names[0]
        raise NotFound(
            f"no role called {name} can be assigned at {scope}",
            service=SERVICE,
            code=FailureCode.NO_SUCH_ROLE,
            status=404,
        )

    async def right(self, action: str, resource_id: ResourceId, *, data: bool = False) -> Right:
        """Tell if `action` is allowed on a resource or one of its children, or give the reason why unknown."""
        try:
            return Right(action, resource_id, await self._may(action, resource_id, data=data))
        except AzureError as error:
            return Right(action, resource_id, None, error.happened, error.grounds)

    async def _may(self, action: str, resource_id: ResourceId, *, data: bool) -> bool:
        *above, kind, name = resource_id.path
        asked = Asked(SERVICE, f"read its permissions on {resource_id}")
        operations = self._client(resource_id).permissions
        granted = await ask_all(
            asked,
            operations.list_for_resource(resource_id.resource_group, resource_id.provider, "/".join(above), kind, name),
        )
        return await ask(asked, _allowed(action, granted, data=data))


async def _allowed(action: str, permissions: Iterable[Granted], *, data: bool) -> bool:
    return allowed(action, permissions, data=data)


def allowed(action: str, permissions: Iterable[Granted], *, data: bool = False) -> bool:
    """Tell if any role allows `action` without excluding it: RBAC adds roles up.

    ``notActions`` is not a denial: another role may allow the action.
    """
    return any(_permission(each).allows(action, data=data) for each in permissions)


def encloses(outer: ArmId, inner: ArmId) -> bool:
    """Tell if an assignment at `outer` is valid at `inner`, too.

    An assignment at a management group always counts: Azure lists such an assignment only at scopes below the group.
    """
    return outer.encloses(inner) or MANAGEMENT.encloses(outer)


def _permission(shown: Granted) -> Permission:
    lists = (shown.actions, shown.not_actions, shown.data_actions, shown.not_data_actions)
    return Permission(*(tuple(map(text, each or ())) for each in lists))


async def _role_names(shown: Iterable[RoleDefinition]) -> list[str]:
    return [text(each.name).lower() for each in shown]


async def _assignment(shown: RoleAssignment) -> Assignment:
    role = ArmId(text(shown.role_definition_id)).name.lower()
    condition, version = text_or_none(shown.condition), text_or_none(shown.condition_version)
    if not _NAMES_ONE.fullmatch(text(shown.id)):
        raise ValueError("not the id of a role assignment")
    return Assignment(
        ArmId(text(shown.scope)), role, ArmId(text(shown.id)), text(shown.principal_id), condition, version
    )


def _with_status(response: Any, shown: RoleAssignment | None, headers: object) -> tuple[int, RoleAssignment | None]:
    """Return an answer with its status, by which 204 (no content) differs from an empty answer."""
    del headers
    return response.http_response.status_code, shown


def _is(assignment: Assignment, shown: RoleAssignment | None) -> bool:
    """True for an answer showing the assignment. Raises ValueError for any other."""
    if shown is None or text(shown.id) != assignment.id:
        raise ValueError("an answer without the id of the role assignment")
    return True


def _subscription(scope: ArmId) -> str:
    return f"/subscriptions/{scope.subscription}" if scope.subscription else ""
