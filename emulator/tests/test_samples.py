"""Tests of the examples in the official SDKs' documentation of these services, from end to end.

Container groups and Graph are in facts/test_b_aci.py and test_graph_directory.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import Permission, RoleAssignmentCreateParameters, RoleDefinition
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.inprocess import Session, SyncAdapter
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop, run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
GROUP = "myResourceGroup"


@dataclass
class World:
    azure: Azure
    seeded: Seeded
    transport: Any
    credential: Any

    def client(self, kind: Callable[..., Any]) -> Any:
        """Return a management client on the subscription."""
        return kind(self.credential, self.seeded.subscription, transport=self.transport, retry_total=0)


@pytest.fixture
def world() -> World:
    azure = Azure.build(Clock(START, lambda: 0.0), timing=PROMPT)
    seeded, session = fill(azure), requests.Session()
    session.mount("https://", SyncAdapter(build(azure)))
    transport = RequestsTransport(session=session, session_owner=False)
    who = seeded.admin
    return World(
        azure, seeded, transport, ClientSecretCredential(seeded.tenant, who.app_id, who.secret, transport=transport)
    )


def test_every_operation_on_secrets(world: World) -> None:
    vault = SecretClient(world.seeded.vault_url, world.credential, transport=world.transport, retry_total=0)
    expires = START + timedelta(days=30)
    first = vault.set_secret("sample", "one", content_type="text/plain", tags={"a": "b"}, expires_on=expires)
    assert (first.properties.expires_on, first.properties.enabled, first.properties.vault_url) == (
        expires,
        True,
        world.seeded.vault_url,
    )
    second = vault.set_secret("sample", "two")
    assert vault.get_secret("sample").value == "two"
    assert vault.get_secret("sample", first.properties.version).value == "one"
    changed = vault.update_secret_properties("sample", first.properties.version, enabled=False, tags={"old": "yes"})
    assert (changed.enabled, changed.tags, changed.content_type) == (False, {"old": "yes"}, "text/plain")
    assert {each.version for each in vault.list_properties_of_secret_versions("sample")} == {
        first.properties.version,
        second.properties.version,
    }
    assert [each.name for each in vault.list_properties_of_secrets(max_page_size=1)] == ["sample"]
    kept = vault.backup_secret("sample")
    deleted = vault.begin_delete_secret("sample").result()
    assert deleted.scheduled_purge_date and deleted.deleted_date and deleted.scheduled_purge_date > deleted.deleted_date
    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("sample")
    with pytest.raises(ResourceExistsError):
        vault.set_secret("sample", "three")
    assert [each.name for each in vault.list_deleted_secrets()] == ["sample"]
    assert vault.get_deleted_secret("sample").recovery_id == deleted.recovery_id
    assert vault.begin_recover_deleted_secret("sample").result().name == "sample"
    vault.begin_delete_secret("sample").wait()
    vault.purge_deleted_secret("sample")
    assert vault.restore_secret_backup(kept).name == "sample"
    assert vault.get_secret("sample").value == "two"


def test_every_operation_on_secrets_asynchronously() -> None:
    async def main(loop: VirtualLoop) -> None:
        azure = Azure.build(Clock(START, loop.time), timing=PROMPT)
        seeded = fill(azure)
        transport = AioHttpTransport(session=Session(build(azure)), session_owner=False)
        credential = AsyncCredential(seeded.tenant, seeded.admin.app_id, seeded.admin.secret, transport=transport)
        vault = AsyncSecretClient(seeded.vault_url, credential, transport=transport)
        first = await vault.set_secret("sample", "one")
        await vault.update_secret_properties("sample", first.properties.version, content_type="text/plain")
        await vault.set_secret("sample", "two")
        assert (await vault.get_secret("sample", first.properties.version)).properties.content_type == "text/plain"
        assert len([each async for each in vault.list_properties_of_secret_versions("sample")]) == 2
        assert [each.name async for each in vault.list_properties_of_secrets()] == ["sample"]
        kept = await vault.backup_secret("sample")
        assert (await vault.delete_secret("sample")).name == "sample"
        assert [each.name async for each in vault.list_deleted_secrets()] == ["sample"]
        assert (await vault.get_deleted_secret("sample")).name == "sample"
        assert (await vault.recover_deleted_secret("sample")).name == "sample"
        await vault.delete_secret("sample")
        await vault.purge_deleted_secret("sample")
        await vault.restore_secret_backup(kept)
        assert (await vault.get_secret("sample")).value == "two"

    run(main)


def test_every_operation_on_roles(world: World) -> None:
    client, scope = world.client(AuthorizationManagementClient), f"/subscriptions/{world.seeded.subscription}"
    pull = next(iter(client.role_definitions.list(world.seeded.registry_id, filter="roleName eq 'AcrPull'")))
    assert client.role_definitions.get_by_id(pull.id).role_name == "AcrPull"
    permission = Permission(actions=["Microsoft.ContainerRegistry/registries/read"])
    own = RoleDefinition(
        role_name="Reads registries", description="", permissions=[permission], assignable_scopes=[scope]
    )
    name = "11111111-2222-3333-4444-555555555555"
    assert client.role_definitions.create_or_update(scope, name, own).role_name == "Reads registries"
    parameters = RoleAssignmentCreateParameters(
        role_definition_id=pull.id, principal_id=world.seeded.operator.object_id, principal_type="ServicePrincipal"
    )
    made = client.role_assignments.create(world.seeded.registry_id, name, parameters)
    assert (
        client.role_assignments.get(world.seeded.registry_id, name).id
        == client.role_assignments.get_by_id(made.id).id
        == made.id
    )
    assert made.id in {each.id for each in client.role_assignments.list_for_scope(world.seeded.registry_id)}
    assert made.id in {each.id for each in client.role_assignments.list_for_subscription()}
    assert made.id in {each.id for each in client.role_assignments.list_for_resource_group(GROUP)}
    assert list(client.permissions.list_for_resource_group(GROUP))
    assert client.role_assignments.delete(world.seeded.registry_id, name).id == made.id
    assert client.role_assignments.delete(world.seeded.registry_id, name) is None
    assert client.role_definitions.delete(scope, name).role_name == "Reads registries"
