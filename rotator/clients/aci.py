"""Container groups as raw JSON, through azure-mgmt-containerinstance.

The library's models drop every property unknown to them. So a PUT body goes in as bytes, and its answer is taken from
the pipeline before the models. Groups and lists are read without the models, which take as long as all other work on an
answer, and where one group refused by them would hide all others. The PUT is sent once and never polled: the group is
read until there is evidence. Source: Container Instances REST, and the client's handling of unknown properties.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core.exceptions import DeserializationError, HttpResponseError
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient

from rotator.clients.api_versions import CONTAINER_GROUPS, ApiVersion
from rotator.clients.arm import Arm
from rotator.clients.pipeline import Line
from rotator.clients.redaction import secrets_of
from rotator.clients.refusal import Asked
from rotator.clients.shape import flaw
from rotator.clients.token import Token
from rotator.clients.translation import ask
from rotator.clients.typed import text, text_or_none
from rotator.cloud import Cloud
from rotator.codes import FailureCode
from rotator.errors import Conflict, Forbidden, NotFound, Unexpected
from rotator.ports import Put
from rotator.resource_id import ResourceId
from rotator.rights import GROUP_TYPE, READ_LOGS, WRITE_GROUP
from rotator.state import ContainerGroup

SERVICE = "Container Instances"
API_VERSION = CONTAINER_GROUPS.version
ABSENT = frozenset({"ContainerGroupNotFound", "ResourceNotFound", "ResourceGroupNotFound"})
"""Codes of a 404 about the group itself, the provider's or Resource Manager's.

Any other code, or none, doesn't prove the group's absence.
"""
UNREGISTERED = "MissingSubscriptionRegistration"
"""Code for a subscription not registered to use Container Instances, so without container groups.

A subscription with registries only may be unregistered.
"""


class ContainerGroups:
    """Clients for the container groups of all subscriptions, one for each subscription."""

    def __init__(self, line: Line, cloud: Cloud, token: Token, arm: Arm) -> None:
        self._line, self._cloud, self._token, self._arm = line, cloud, token, arm
        self._clients: dict[str, ContainerInstanceManagementClient] = {}

    async def close(self) -> None:
        """Close the clients; the session stays open."""
        for client in self._clients.values():
            await client.close()

    def _client(self, subscription: str) -> ContainerInstanceManagementClient:
        if subscription not in self._clients:
            self._clients[subscription] = ContainerInstanceManagementClient(
                self._token,  # type: ignore[arg-type]
                subscription,
                base_url=self._cloud.arm,
                **self._line.signed(self._token, self._cloud.arm_scope, self._cloud.arm),
            )
        return self._clients[subscription]

    async def group(self, group_id: ResourceId) -> ContainerGroup:
        """Read one group.

        Absent where Azure's 404 is about the group itself; unreadable where reading is refused or Azure's answer is
        unclear. One such answer is no proof of absence: :func:`rotator.clients.observation.groups_part` compares the
        answer with the list.
        """
        asked = Asked(SERVICE, f"read container group {group_id.name}", f"{GROUP_TYPE}/read on {group_id}")
        answers: list[Any] = []
        try:
            await ask(asked, self._get(group_id, answers))
        except NotFound as error:
            why = None if error.code in ABSENT else f"{error} (this answer does not prove that the group is absent)"
            return ContainerGroup(group_id, await ask(asked, self._at(answers)), unreadable=why)
        except (Forbidden, Unexpected) as error:
            if error.status not in (401, 403, 404) or not answers:
                raise  # without an answer about the group, the sign-in was refused
            at = await ask(asked, self._at(answers))
            return ContainerGroup(group_id, at, unreadable=str(error), grounds=error.grounds)
        document, seen = await ask(asked, _content(answers)), await ask(asked, self._at(answers))
        odd = flaw(document)
        return (
            ContainerGroup(group_id, seen, unreadable=unread(odd)) if odd else ContainerGroup(group_id, seen, document)
        )

    async def _at(self, answers: list[Any]) -> datetime:
        return self._line.time.told(answers[-1].headers)

    async def _get(self, where: ResourceId, answers: list[Any]) -> None:
        """Ask for a group; `answers` gets the answer. Raises HttpResponseError for a refusal."""
        answers.append(response := await self._arm.answer(where, CONTAINER_GROUPS))
        if response.status_code != 200:
            raise HttpResponseError(response=response)

    async def listed(self, subscription: str, version: ApiVersion = CONTAINER_GROUPS) -> tuple[Mapping[str, Any], ...]:
        """Return every group of a subscription in list form, without instance view, as a version shows it.

        Empty where the subscription can't have container groups.
        """
        found = list[Mapping[str, Any]]()
        await self.each(subscription, found.append, version)
        return tuple(found)

    async def each(
        self, subscription: str, take: Callable[[Mapping[str, Any]], None], version: ApiVersion = CONTAINER_GROUPS
    ) -> None:
        """Give every group of :meth:`listed` to `take`, page by page."""
        asked = Asked(
            SERVICE,
            f"list the container groups of subscription {subscription}",
            f"{GROUP_TYPE}/read on /subscriptions/{subscription}",
        )
        path = f"/subscriptions/{subscription}/providers/{GROUP_TYPE}"
        try:
            await self._arm.every(asked, path, version, lambda group: take(_named(group)))
        except Conflict as error:
            if error.code != UNREGISTERED:
                raise

    async def readable(self, subscription: str) -> tuple[Mapping[str, Any], ...]:
        """Return every group of a subscription as :meth:`listed`. Raises Unexpected where a group is unreadable."""
        found = await self.listed(subscription)
        for group in found:
            if odd := flaw(group):
                raise Unexpected(f"{group['id']}: {unread(odd)}", service=SERVICE, code=FailureCode.UNREADABLE_ANSWER)
        return found

    async def put(self, group_id: ResourceId, document: Mapping[str, Any]) -> Put:
        """Replace a group; the PUT is sent once."""
        asked = Asked(
            SERVICE,
            f"deploy container group {group_id.name}",
            f"{WRITE_GROUP} on {group_id}",
            secrets=secrets_of(document),
            resource=group_id,
        )
        return await ask(asked, self._put(group_id, json.dumps(document).encode()))

    async def _put(self, where: ResourceId, body: bytes) -> Put:
        """Send the PUT once.

        An answer other than the group came from another sender: then the outcome of the PUT is unknown.
        """
        groups, answers = self._client(where.subscription).container_groups, list[Any]()
        raw: Any = body
        with suppress(DeserializationError):
            await groups.begin_create_or_update(
                where.resource_group,
                where.name,
                raw,
                api_version=API_VERSION,
                polling=False,
                raw_response_hook=lambda answer: answers.append(answer.http_response),
            )
        await _content(answers)
        return Put(await self._at(answers), answers[-1].status_code == 201)

    async def logs(self, group_id: ResourceId, container: str) -> str:
        """Return a container's printed output."""
        needs = f"{READ_LOGS} on {group_id}"
        asked = Asked(SERVICE, f"read the logs of container {container} of group {group_id.name}", needs)
        containers = self._client(group_id.subscription).containers

        async def reading() -> str:
            shown = await containers.list_logs(
                group_id.resource_group, group_id.name, container, api_version=API_VERSION
            )
            return text_or_none(shown.content) or ""

        return await ask(asked, reading())


def unread(odd: str) -> str:
    """Return the reason why a group can't be read: Azure's answer isn't a container group."""
    return f"{SERVICE} returned the group in an undocumented form, so its credential is unknown: {odd}"


def _named(group: dict[str, Any]) -> dict[str, Any]:
    """Return a listed group with a valid id. Raises KeyError, TypeError, ValueError."""
    ResourceId.parse(text(group["id"]))
    return group


async def _content(answers: list[Any]) -> dict[str, Any]:
    content = json.loads(answers[-1].text())
    if not isinstance(content, dict) or not isinstance(content.get("properties"), dict):
        raise ValueError("no container group")
    return content
