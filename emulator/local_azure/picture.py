"""Summary of an emulated Azure without secrets, as visible to a reader with all rights."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from local_azure.aci.state import RefusedPull
from local_azure.azure import Azure
from local_azure.clock import iso
from local_azure.graph.objects import Application, Holder
from local_azure.keyvault.secret import Version
from local_azure.wire import Json


def draw(azure: Azure) -> Json:
    """Return the summary as JSON: principals, secrets, container groups, role assignments, refused pulls."""
    return {
        "now": iso(azure.clock.now()),
        "tenant": azure.directory.tenant,
        "principals": [
            _principal(azure, application)
            for application in azure.directory.state.applications.values()
            if not application.deleted
        ],
        "secrets": {vault: _secrets(azure, vault) for vault in azure.vaults.state.secrets},
        "containerGroups": [
            azure.container_groups.get(group.id) for group in azure.container_groups.state.groups.values()
        ],
        "roleAssignments": _assignments(azure),
        "refused": refused_pulls(azure.container_groups.refused),
    }


def refused_pulls(pulls: Iterable[RefusedPull]) -> list[Json]:
    """The record of refused pulls, oldest first."""
    return [{**asdict(pull), "at": iso(pull.at)} for pull in pulls]


def _principal(azure: Azure, application: Application) -> Json:
    principal = azure.directory.principal(application.app_id)
    homes: tuple[Holder | None, ...] = (application, principal)
    return {
        "appId": application.app_id,
        "displayName": application.display_name,
        "applicationId": application.id,
        "servicePrincipalId": principal.id if principal else None,
        "credentials": [credential for home in homes if home for credential in _credentials(home)],
    }


def _credentials(home: Holder) -> list[Json]:
    where = "application" if isinstance(home, Application) else "servicePrincipal"
    return [
        {"keyId": p.key_id, "displayName": p.display_name, "home": where, "start": iso(p.start), "end": iso(p.end)}
        for p in home.passwords
        if p.gone_from is None
    ]


def _secrets(azure: Azure, vault: str) -> Json:
    return {
        secret.name: [_version(version) for version in sorted(secret.versions.values(), key=lambda v: v.order)]
        for secret in azure.vaults.state.secrets[vault].values()
        if secret.deleted_at is None
    }


def _version(version: Version) -> Json:
    return {
        "version": version.id,
        "enabled": version.enabled,
        "created": iso(version.created),
        "exp": _instant(version.exp),
        "tags": version.tags or {},
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _assignments(azure: Azure) -> list[Json]:
    return [
        {
            "id": a.id,
            "scope": a.scope,
            "principalId": a.principal_id,
            "role": azure.authorization.role(a.role).role_name,
        }
        for a in azure.authorization.assignments()
    ]
