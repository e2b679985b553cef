"""Fleets at rest, of any size: put into the emulator's state directly, as after a rotation of each principal.

A policy has three container groups in one of the subscriptions, and its password and user name in one of the vaults.
"""

import pickle
from dataclasses import dataclass, replace
from datetime import timedelta

from local_azure.azure import Azure
from local_azure.seed import GROUP, SUBSCRIPTION
from local_azure.seeded import Seeded

from rotator.policy import Policy
from rotator.state import ATTEMPT, HOME, KEY_ID, SINCE, Home, lineage, marker

SUBSCRIPTIONS, VAULTS, GROUPS = 3, 2, 3
"""Subscriptions and vaults of a fleet, and container groups of a policy."""
DELETED = 60
"""Soft-deleted secrets of each vault: three pages."""
AGE, VALIDITY = timedelta(days=20), timedelta(days=90)
DUE = timedelta(days=82)
"""Age at which every credential of a fleet is due, whatever renewal its lineage has."""


@dataclass(frozen=True)
class Fleet:
    """Policies at rest, in an emulated Azure."""

    azure: Azure
    seeded: Seeded
    policies: tuple[Policy, ...]


def at_rest(azure: Azure, seeded: Seeded, size: int, age: timedelta = AGE, groups: int = GROUPS) -> Fleet:
    """Make so many principals with their objects; the credentials were added `age` ago."""
    subscriptions = [SUBSCRIPTION, *(f"00000000-0000-0000-0000-00000000000{n}" for n in range(2, SUBSCRIPTIONS + 1))]
    vaults = [f"fleetvault{number}" for number in range(VAULTS)]
    for number, subscription in enumerate(subscriptions):
        _subscription(azure, seeded, subscription, new=number > 0)
    for vault in vaults:
        _vault(azure, seeded, vault)
    template = _template(azure, seeded)
    azure.clock.advance(age)
    made = tuple(
        _principal(
            azure, seeded, number, subscriptions[number % SUBSCRIPTIONS], vaults[number % VAULTS], template, age, groups
        )
        for number in range(size)
    )
    return Fleet(azure, seeded, made)


def let_pull(fleet: Fleet) -> None:
    """Give every principal the role to pull."""
    for policy in fleet.policies:
        principal = fleet.azure.directory.principal(policy.principal.app_id)
        assert principal
        fleet.azure.authorization.assign(fleet.seeded.registry_id, principal.id, "AcrPull", at_once=True)


def _subscription(azure: Azure, seeded: Seeded, subscription: str, *, new: bool) -> None:
    if new:
        azure.resources.add_subscription(subscription, f"Subscription {subscription[-1]}")
        azure.resources.create_group(subscription, GROUP, "eastus")
    scope = f"/subscriptions/{subscription}"
    azure.authorization.assign(scope, seeded.operator.object_id, "Contributor", at_once=True)


def _vault(azure: Azure, seeded: Seeded, name: str) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
    properties = {"tenantId": azure.directory.tenant, "enableRbacAuthorization": True}
    azure.resources.put(scope, "Microsoft.KeyVault/vaults", "eastus", properties)
    azure.authorization.assign(scope, seeded.operator.object_id, "Key Vault Secrets Officer", at_once=True)
    for number in range(DELETED):
        azure.vaults.set(name, f"old-{number}", "value")
        azure.vaults.delete(name, f"old-{number}")


def _template(azure: Azure, seeded: Seeded) -> bytes:
    """Return a running group without a principal, to be copied for every policy."""
    container = {
        "name": "app",
        "properties": {
            "image": f"{seeded.login_server}/aci-helloworld:v1",
            "ports": [{"protocol": "TCP", "port": 80}],
            "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
            "environmentVariables": [{"name": "MODE", "value": "production"}, {"name": "REGION", "value": "eastus"}],
        },
    }
    application = azure.directory.create_application("template")
    principal = azure.directory.create_service_principal(application.app_id)
    azure.authorization.assign(seeded.registry_id, principal.id, "AcrPull", at_once=True)
    secret = azure.directory.add_password(application, at_once=True).secret
    entry = {"server": seeded.login_server, "username": application.app_id, "password": secret}
    properties = {
        "osType": "Linux",
        "restartPolicy": "Always",
        "containers": [container],
        "imageRegistryCredentials": [entry],
    }
    group_id = _group_id(SUBSCRIPTION, "template")
    azure.clock.advance(timedelta(minutes=2))  # until every replica knows the password
    azure.container_groups.put(group_id, {"location": "eastus", "properties": properties}, "2025-09-01")
    azure.clock.advance(timedelta(minutes=2))  # time for its containers to start
    azure.container_groups.settle()
    return pickle.dumps(azure.container_groups.state.groups.pop(group_id.lower()))


def _group_id(subscription: str, name: str) -> str:
    scope = f"/subscriptions/{subscription}/resourceGroups/{GROUP}"
    return f"{scope}/providers/Microsoft.ContainerInstance/containerGroups/{name}"


def _principal(
    azure: Azure,
    seeded: Seeded,
    number: int,
    subscription: str,
    vault: str,
    template: bytes,
    age: timedelta,
    groups: int,
) -> Policy:
    name, directory = f"p{number:05}", azure.directory
    application = directory.create_application(name)
    principal = directory.create_service_principal(application.app_id)
    for owned in (application.id, principal.id):
        directory.add_owner(owned, seeded.operator.object_id)
    host, secret = f"{vault}.vault.azure.net", f"{name}-pwd"
    mark, now = lineage(directory.tenant, application.app_id, host, secret), azure.clock.now()
    attempt, start = f"{number:012x}", now - age
    password = directory.add_password(
        application, display_name=marker(mark, attempt), start=start, end=start + VALIDITY, at_once=True
    )
    tags = {KEY_ID: password.key_id, HOME: Home.APPLICATION.value, ATTEMPT: attempt}
    azure.vaults.set(vault, secret, password.secret, tags=tags, exp=password.end)
    azure.vaults.set(vault, f"{name}-usr", application.app_id)
    ids = [_group_id(subscription, f"{name}-{each}") for each in range(groups)]
    for group_id in ids:
        copy = replace(pickle.loads(template), id=group_id)
        entry = {**copy.resource["properties"]["imageRegistryCredentials"][0]}
        entry |= {"username": application.app_id, "password": password.secret}
        copy.resource["properties"]["imageRegistryCredentials"] = [entry]
        copy.resource["tags"] = {KEY_ID: password.key_id, SINCE: f"{start:%Y-%m-%dT%H:%M:%SZ}", "team": "somebody"}
        azure.container_groups.state.groups[group_id.lower()] = copy
    return Policy.model_validate(
        {
            "name": name,
            "file": f"policies/{name}.yaml",
            "principal": {"app_id": application.app_id},
            "registries": [{"id": seeded.registry_id}],
            "key_vault": {"url": f"https://{host}", "password_secret": secret, "username_secret": f"{name}-usr"},
            "container_groups": [{"id": each} for each in ids],
            "discover": {"subscriptions": [subscription]},
        }
    )
