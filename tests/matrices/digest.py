"""World as one text: equal worlds have equal digests, with any ids."""

import json
import re
from typing import Any

from tests.stage import SECRET, Stage

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b[0-9a-f]{12}\b")


def digest(made: Stage) -> str:
    """Return the digest of a rotation's world: credentials, versions, marks, groups, role assignments; ids become
    numbers in order of appearance.
    """
    secrets = {
        password.secret: f"secret of {password.key_id}" for password in made.azure.directory.passwords(made.app_id)
    }
    told = json.dumps(
        [_credentials(made), _versions(made, secrets), _groups(made, secrets), _assignments(made)],
        indent=1,
        default=str,
    )
    names: dict[str, str] = {}
    return _ID.sub(lambda found: names.setdefault(found[0], f"#{len(names)}"), told)


def _credentials(made: Stage) -> list[Any]:
    return [[p.key_id, p.display_name] for p in sorted(made.credentials(), key=lambda p: (p.start, p.key_id))]


def _versions(made: Stage, secrets: dict[str, str]) -> list[Any]:
    vaults, found = made.azure.vaults, list[Any]()
    for name in (SECRET, made.policy.access_secret):
        versions = sorted(vaults.versions("myvault", name), key=lambda version: version.order)
        found += [
            [name, v.id, secrets.get(v.value, "another value"), v.enabled, sorted((v.tags or {}).items())]
            for v in versions
        ]
    return found


def _groups(made: Stage, secrets: dict[str, str]) -> list[Any]:
    groups, found = made.azure.container_groups, list[Any]()
    groups.settle()
    for group_id in sorted(groups.state.groups):
        stored = groups.stored(group_id)
        passwords = [
            secrets.get(e.get("password"), "another") for e in stored["properties"].get("imageRegistryCredentials", ())
        ]
        tags = {name: value for name, value in (stored.get("tags") or {}).items() if "since" not in name}
        found.append(
            [group_id, passwords, sorted(tags.items()), [c.phase for c in groups.state.groups[group_id].containers]]
        )
    return found


def _assignments(made: Stage) -> list[Any]:
    return sorted((a.scope.lower(), a.role, a.principal_id) for a in made.azure.authorization.assignments())
