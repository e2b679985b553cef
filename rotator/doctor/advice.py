"""Advice to use no credential: container groups able to pull with a managed identity, and the steps to get there.

Source: "Deploy to Azure Container Instances from Azure Container Registry using a managed identity": user-assigned
identities only, and the only way through a private endpoint. A ``passwordReference`` needs such an identity, too, and
the time of its next read is not documented.
"""

from collections.abc import Collection, Mapping

from rotator import container_group, remedy
from rotator.arm_json import get
from rotator.container_group import Document
from rotator.doctor.finding import Case, Finding, Found, Severity
from rotator.remedy import Bash
from rotator.resource_id import ResourceId
from rotator.rights import PULL, REPOSITORY_READER
from rotator.state import Registry


def identity_instead(case: Case) -> Found:
    """Advise a managed identity in place of a password.

    Covers groups that have an identity already, and groups for which an identity must be made.
    """
    pulling = {each.id for each in case.view.dependents if not each.refused}
    without: list[ResourceId] = []
    for seen in (each for each in case.seen.groups if each.id in pulling):
        identities = get(seen.document, "identity", "userAssignedIdentities")
        if not isinstance(identities, Mapping) or not identities:
            without.append(seen.id)
            continue
        mine = min(identities)
        text = (
            f"the group has the user-assigned identity {mine.rsplit('/', 1)[-1]}: let that identity pull, and the"
            " group needs no password"
        )
        steps = _roles(case, str(get(identities, mine, "principalId")))
        yield Finding(Severity.ADVICE, f"group {seen.id.name}", text, steps, _entry(case, mine, [seen.id]))
    if without:
        names = ", ".join(group_id.name for group_id in without)
        text = (
            f"{names}: a user-assigned managed identity could pull instead of the principal, without a password"
            " to rotate"
        )
        yield Finding(
            Severity.ADVICE, "groups", text, _made(case, without[0]), _entry(case, _identity(case, without[0]), without)
        )


def _roles(case: Case, principal: str | Bash) -> tuple[str, ...]:
    shown = [each.shown for each in case.examined.registries if isinstance(each.shown, Registry)]
    return tuple(remedy.assign_role(principal, REPOSITORY_READER if each.abac else PULL, each.id) for each in shown)


def _identity(case: Case, group_id: ResourceId) -> str:
    """The id of the identity that would be made beside a group."""
    name = f"{case.policy.name.removesuffix('-pull')}-pull"
    return f"{group_id.place}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def _made(case: Case, group_id: ResourceId) -> tuple[str, ...]:
    identity = _identity(case, group_id)
    return (remedy.create_identity(identity), *_roles(case, remedy.identity_principal(identity)))


def _entry(case: Case, identity: str, groups: Collection[ResourceId]) -> str:
    """Return the entries of the groups' manifests in place of user name and password, one for each host."""
    documents = [Document.seen(case.policy, seen) for seen in case.seen.groups if seen.id in groups]
    servers = sorted({host for each in documents for host in container_group.receivers(each)}) or [
        each.shown.login_server for each in case.examined.registries if isinstance(each.shown, Registry)
    ]
    lines = "\n".join(f"  - {{server: {server}, identity: {identity}}}" for server in servers)
    return (
        "imageRegistryCredentials:  # in its manifest, with the identity under"
        f" identity.userAssignedIdentities\n{lines}"
    )
