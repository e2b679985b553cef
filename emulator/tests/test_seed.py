"""Tests of the seeded tenant: its names are the documentation's, and its operator has exactly the rights of
SECURITY.md.
"""

import datetime

import pytest
from local_azure.acr.refusal import Refused
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.private import UnreadableState
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.store import dump, restore

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup"


@pytest.fixture
def azure() -> Azure:
    return Azure.build(Clock(datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC), lambda: 0.0))


@pytest.fixture
def seeded(azure: Azure) -> Seeded:
    return fill(azure)


def test_it_has_the_names_of_the_documentation(azure: Azure, seeded: Seeded) -> None:
    assert seeded.registry_id == f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/mycontainerregistry"
    assert seeded.vault_url == "https://myvault.vault.azure.net"
    registry = azure.resources.registry("mycontainerregistry.azurecr.io")
    assert registry is not None
    assert registry.properties["adminUserEnabled"] is False
    vault = azure.resources.vault("myvault.vault.azure.net")
    assert vault is not None
    assert vault.properties["enableRbacAuthorization"] is True


def test_both_identities_sign_in_at_once_on_every_replica(azure: Azure, seeded: Seeded) -> None:
    for identity in (seeded.operator, seeded.admin):
        assert azure.tokens.authenticates_everywhere(identity.app_id, identity.secret)


def test_no_secret_shows_in_its_repr(seeded: Seeded) -> None:
    assert seeded.operator.secret not in repr(seeded)
    assert seeded.admin.secret not in repr(seeded)


MAY = (
    ("Microsoft.ContainerInstance/containerGroups/write", GROUP, False),
    ("Microsoft.ContainerInstance/containerGroups/read", "/subscriptions/00000000-0000-0000-0000-000000000001", False),
    ("Microsoft.ContainerRegistry/registries/read", "registry", False),
    ("Microsoft.Authorization/roleAssignments/delete", "registry", False),
    ("Microsoft.KeyVault/vaults/secrets/setSecret/action", "vault", True),
    ("Microsoft.KeyVault/vaults/secrets/getSecret/action", "vault", True),
)
MAY_NOT = (
    ("Microsoft.ContainerInstance/containerGroups/delete", GROUP, False),
    ("Microsoft.ContainerInstance/containerGroups/containers/exec/action", GROUP, False),
    ("Microsoft.Authorization/roleAssignments/write", GROUP, False),
    ("Microsoft.ContainerRegistry/registries/pull/read", "registry", False),
    ("Microsoft.ContainerRegistry/registries/write", "registry", False),
    ("Microsoft.KeyVault/vaults/keys/read", "vault", True),
    ("Microsoft.KeyVault/vaults/write", "vault", False),
)


@pytest.mark.parametrize(("action", "scope", "data"), MAY)
def test_the_operator_may(azure: Azure, seeded: Seeded, action: str, scope: str, data: bool) -> None:
    where = {"registry": seeded.registry_id, "vault": seeded.vault_id}.get(scope, scope)
    assert azure.authorization.allowed(seeded.operator.object_id, action, where, data=data)


@pytest.mark.parametrize(("action", "scope", "data"), MAY_NOT)
def test_the_operator_may_not(azure: Azure, seeded: Seeded, action: str, scope: str, data: bool) -> None:
    where = {"registry": seeded.registry_id, "vault": seeded.vault_id}.get(scope, scope)
    assert not azure.authorization.allowed(seeded.operator.object_id, action, where, data=data)


def test_the_operator_manages_only_the_applications_it_owns(azure: Azure, seeded: Seeded) -> None:
    principal = azure.directory.principal(seeded.operator.app_id)
    assert principal is not None
    assert principal.app_roles == ["Application.ReadWrite.OwnedBy"]


def test_a_saved_azure_is_the_same_when_it_is_taken_up_again(azure: Azure, seeded: Seeded) -> None:
    azure.vaults.set("myvault", "name", "value", {"a": "b"})
    saved = dump(azure)
    other = Azure.build(Clock(azure.clock.now(), lambda: 0.0), seed=99)
    restore(other, saved)
    assert dump(other) == saved
    assert other.ids.guid() == azure.ids.guid()
    assert other.tokens.authenticates(seeded.operator.app_id, seeded.operator.secret)
    assert other.vaults.get("myvault", "name").value == "value"


def test_what_resource_manager_and_the_vaults_remember_lasts(azure: Azure, seeded: Seeded) -> None:
    resources, registry = azure.resources, seeded.registry_id
    resources.access.put_token(registry, "puller", f"{registry}/scopeMaps/_repositories_pull")
    [first, _] = resources.access.generate(registry, "puller")
    kept = resources.access.admin_passwords(registry)
    azure.vaults.set("myvault", "name", "value")
    backup = azure.vaults.backup("myvault", "name")
    azure.vaults.delete("myvault", "name")
    resources.put(f"{GROUP}/providers/Microsoft.KeyVault/vaults/gone", "Microsoft.KeyVault/vaults", "eastus", {})
    resources.delete(f"{GROUP}/providers/Microsoft.KeyVault/vaults/gone")
    resources.create_group(seeded.subscription, "leaving", "eastus")
    operation = resources.delete_group(seeded.subscription, "leaving")
    other = Azure.build(Clock(azure.clock.now(), lambda: 0.0), seed=99)
    restore(other, dump(azure))
    assert dump(other) == dump(azure)
    assert other.resources.access.knows(registry, "puller", first.value)
    assert other.resources.access.admin_passwords(registry) == kept
    assert [grave.resource.name for grave in other.resources.deleted_vaults.of(seeded.subscription)] == ["gone"]
    assert not other.resources.operations.over(other.resources.operations.get(operation.id))
    other.clock.advance(datetime.timedelta(minutes=1))
    assert not other.resources.has_group(seeded.subscription, "leaving")
    other.vaults.purge("myvault", "name")
    other.clock.advance(datetime.timedelta(minutes=1))
    assert other.vaults.restore("myvault", backup)[1].value == "value"


def test_a_registry_that_is_made_again_has_no_images_and_an_identity_that_goes_with_its_group_signs_in_no_more(
    azure: Azure, seeded: Seeded
) -> None:
    server = "mycontainerregistry.azurecr.io"
    assert azure.registries.stored(server, "aci-helloworld", "v1").digest
    [identity] = [r for r in azure.resources.list(seeded.subscription) if r.type.endswith("userAssignedIdentities")]
    assert azure.directory.principal_by_id(identity.properties["principalId"])
    azure.resources.delete_group(seeded.subscription, seeded.resource_group)
    assert azure.directory.principal_by_id(identity.properties["principalId"]) is None
    azure.clock.advance(datetime.timedelta(minutes=1))
    azure.resources.create_group(seeded.subscription, seeded.resource_group, "eastus")
    azure.resources.put(seeded.registry_id, "Microsoft.ContainerRegistry/registries", "eastus", {})
    with pytest.raises(Refused, match="NAME_UNKNOWN"):
        azure.registries.stored(server, "aci-helloworld", "v1")


def test_a_state_that_does_not_fit_is_refused(azure: Azure) -> None:
    with pytest.raises(UnreadableState):
        restore(azure, {"services": {}})
