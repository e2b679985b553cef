"""The seeded tenant is the documentation's, and its operator can do what SECURITY.md asks for and no more."""

import datetime

import pytest

from rotator.emulator.azure import Azure
from rotator.emulator.clock import Clock
from rotator.emulator.seed import Seeded, seed
from rotator.emulator.store import UnreadableState, dump, restore

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup"


@pytest.fixture
def azure() -> Azure:
    return Azure.build(Clock(datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC), lambda: 0.0))


@pytest.fixture
def seeded(azure: Azure) -> Seeded:
    return seed(azure)


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


def test_a_state_that_does_not_fit_is_refused(azure: Azure) -> None:
    with pytest.raises(UnreadableState):
        restore(azure, {"services": {}})
