"""The nightly script that keeps az (docs/operations.md, "Nightly jobs"), by az's own client library, over the wire of a
Stage.

`az container create` sends the properties of its flags: no tag of an existing group survives. `az resource tag
--is-incremental` reads the group and sends a PATCH with all its tags, as az does for container groups.
"""

from typing import Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import EnvironmentCredential
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    ImageRegistryCredential,
    Resource,
    ResourceRequests,
    ResourceRequirements,
)
from local_azure.inprocess import Hop, Session

from rotator.state import KEY_ID, SINCE
from tests.stage import Stage

GROUP = "nightly"


def _wire(made: Stage) -> AioHttpTransport:
    return AioHttpTransport(session=Session(Hop(made.app)), session_owner=False)


async def create(made: Stage) -> str:
    """Do as `az container create`, with the published password, and without a tag; return the time of the start."""
    since = made.azure.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    resources = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.5))
    container = Container(name=GROUP, image=f"{made.seeded.login_server}/nightly:v1", resources=resources)
    entry = ImageRegistryCredential(server=made.seeded.login_server, username=made.app_id, password=made.published())
    job = ContainerGroup(
        location="eastus",
        containers=[container],
        os_type="Linux",
        restart_policy="Never",
        image_registry_credentials=[entry],
    )
    async with _client(made) as client:
        creating = await client.container_groups.begin_create_or_update(made.seeded.resource_group, GROUP, job)
        deployed = await creating.result()
        assert deployed.provisioning_state == "Succeeded"
    assert not {KEY_ID, SINCE} & set(made.tags_of(GROUP))
    return since


async def tag(made: Stage, since: str | None = None) -> None:
    """Do as `az resource tag --is-incremental`: tag the group with its credential and, if given, the time of its
    deployment.
    """
    newest = max(made.versions(), key=lambda version: version.order)
    told = {KEY_ID: newest.tags[KEY_ID], **({SINCE: since} if since else {})}
    async with _client(made) as client:
        there = await client.container_groups.get(made.seeded.resource_group, GROUP)
        await client.container_groups.update(
            made.seeded.resource_group, GROUP, Resource(tags={**(there.tags or {}), **told})
        )


def _client(made: Stage) -> Any:
    """Return the client, untyped: mypy would take code after the client's block for unreachable."""
    credential = EnvironmentCredential(transport=_wire(made))
    return ContainerInstanceManagementClient(credential, made.seeded.subscription, transport=_wire(made))
