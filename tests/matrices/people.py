"""Changes by people, by hand or with az, at any moment of a run: data, by name.

These people ignore rotator. Damage by the change itself is not rotator's (`judge` records it); damage by rotator's
reaction is.
"""

from collections.abc import Callable
from datetime import timedelta

from local_azure.graph.objects import Certificate
from local_azure.keyvault.refusals import TAG_COUNT
from local_azure.keyvault.secret import Changes
from local_azure.wire import ServiceError

from tests.stage import GROUPS, SECRET, Stage

Change = Callable[[Stage], None]
OFFICER = "Key Vault Secrets Officer"


def _reset(made: Stage) -> None:
    """Do as `az ad app credential reset`: remove every password and add an unpublished one."""
    for password in [p for p in made.application.passwords if p.gone_from is None]:
        made.azure.directory.remove_password(made.application, password.key_id)
    _add(made)


def _add(made: Stage) -> None:
    end = made.azure.clock.now() + timedelta(days=300)
    made.azure.directory.add_password(made.application, display_name="somebody", end=end, at_once=True)


def _remove_current(made: Stage) -> None:
    """Remove the published password."""
    published = made.published()
    for password in [p for p in made.application.passwords if p.gone_from is None and p.secret == published]:
        made.azure.directory.remove_password(made.application, password.key_id)


def _remove_by_hand(made: Stage) -> None:
    """Remove the password from before rotator."""
    if made.by_hand.gone_from is None and any(p.key_id == made.by_hand.key_id for p in made.credentials()):
        made.azure.directory.remove_password(made.application, made.by_hand.key_id)


def _overwrite_well(made: Stage) -> None:
    """Publish a valid password on top of the secret."""
    end = made.azure.clock.now() + timedelta(days=300)
    password = made.azure.directory.add_password(made.application, display_name="on top", end=end, at_once=True)
    made.azure.vaults.set("myvault", SECRET, password.secret)


def _overwrite_badly(made: Stage) -> None:
    """Publish an invalid value on top of the secret."""
    made.azure.vaults.set("myvault", SECRET, "not a password of anybody")


def _roll_back(made: Stage) -> None:
    """Publish the value of the oldest version again."""
    oldest = min(made.versions(), key=lambda version: version.order, default=None)
    if oldest:
        made.azure.vaults.set("myvault", SECRET, oldest.value)


def _roll_back_once(made: Stage) -> None:
    """Publish the value of the last but one version again."""
    versions = sorted(made.versions(), key=lambda version: version.order)
    if len(versions) > 1:
        made.azure.vaults.set("myvault", SECRET, versions[-2].value)


def _take_off(made: Stage) -> None:
    """Disable the versions of others on top of the secret."""
    for version in made.versions():
        if version.enabled and "rotator-attempt" not in (version.tags or {}) and version.order > 1:
            made.azure.vaults.update("myvault", SECRET, version.id, Changes(enabled=False))


def _fill_tags(made: Stage) -> None:
    """Add as many tags to each version of the secret as Key Vault accepts."""
    for version in made.versions():
        tags = {**{f"team-{number:02}": "somebody's" for number in range(TAG_COUNT)}, **(version.tags or {})}
        kept = sorted(tags.items(), key=lambda tag: not tag[0].startswith("rotator-"))[:TAG_COUNT]
        made.azure.vaults.update("myvault", SECRET, version.id, Changes(tags=dict(kept)))


def _empty_tags(made: Stage) -> None:
    """Remove the tags that `_fill_tags` added, as the veto asks."""
    for version in made.versions():
        tags = {name: value for name, value in (version.tags or {}).items() if not name.startswith("team-")}
        if tags != (version.tags or {}):
            made.azure.vaults.update("myvault", SECRET, version.id, Changes(tags=tags))


def _delete_secret(made: Stage) -> None:
    """Soft-delete the published secret."""
    try:
        made.azure.vaults.delete("myvault", SECRET)
    except ServiceError:
        return


def _recover_secret(made: Stage) -> None:
    """Recover the published secret at once, if it is soft-deleted."""
    try:
        found, _ = made.azure.vaults.recover("myvault", SECRET)
    except ServiceError:
        return
    found.until = made.azure.clock.now()


def _edit(made: Stage) -> None:
    """Change a variable of a group, by a PUT with the rest unchanged."""
    stored = made.azure.container_groups.stored(made.group_id(GROUPS[0]))
    variables = stored["properties"]["containers"][0]["properties"]["environmentVariables"]
    variables[0]["value"] = "edited"
    _put(made, GROUPS[0], stored)


def _recreate(made: Stage) -> None:
    """Delete a group, and create it with the published value and without tags."""
    made.azure.container_groups.delete(made.group_id(GROUPS[0]))
    _put(made, GROUPS[0], made.body(made.app_id, made.published()))


def _put(made: Stage, name: str, body: dict[str, object]) -> None:
    try:
        made.azure.container_groups.put(made.group_id(name), body, "2025-09-01")
    except ServiceError:
        return


def _delete_group(made: Stage) -> None:
    made.azure.container_groups.delete(made.group_id(GROUPS[0]))


def _stop(made: Stage) -> None:
    _quietly(lambda: made.azure.container_groups.stop(made.group_id(GROUPS[0])))


def _start(made: Stage) -> None:
    _quietly(lambda: made.azure.container_groups.start(made.group_id(GROUPS[0])))


def _quietly(act: Callable[[], object]) -> None:
    """Ignore the refusal of a change."""
    try:
        act()
    except ServiceError:
        return


def _strip_tags(made: Stage) -> None:
    made.azure.container_groups.patch_tags(made.group_id(GROUPS[0]), {"owner": "somebody"})


def _tag(made: Stage) -> None:
    """Add a tag to a group, by a PATCH that restarts nothing."""
    tags = {**made.tags_of(GROUPS[0]), "team": "somebody's"}
    made.azure.container_groups.patch_tags(made.group_id(GROUPS[0]), tags)


def _move_host(made: Stage) -> None:
    made.azure.container_groups.move_host(made.group_id(GROUPS[1]))


def _take_role(made: Stage) -> None:
    """Remove rotator's role on the vault."""
    for assignment in made.azure.authorization.assignments(principals=[made.seeded.operator.object_id]):
        if "/vaults/" in assignment.scope.lower():
            made.azure.authorization.delete(assignment.id)


def _give_role(made: Stage) -> None:
    scope = made.seeded.vault_id
    given = made.azure.authorization.assignments(principals=[made.seeded.operator.object_id])
    if not any("/vaults/" in each.scope.lower() for each in given):
        made.azure.authorization.assign(scope, made.seeded.operator.object_id, OFFICER, at_once=True)


def _lock(made: Stage) -> None:
    made.azure.resources.lock(made.group_id(GROUPS[0]), "ReadOnly")


def _unlock(made: Stage) -> None:
    made.azure.resources.unlock(made.group_id(GROUPS[0]))


def _take_pull(made: Stage) -> None:
    """Remove the principal's role for pulls."""
    for assignment in made.azure.authorization.assignments(principals=[made.principal.id]):
        made.azure.authorization.delete(assignment.id)


def _give_pull(made: Stage) -> None:
    if not made.azure.authorization.assignments(principals=[made.principal.id]):
        made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPull", at_once=True)


def _add_to_principal(made: Stage) -> None:
    """Add a password to the service principal, for another purpose; Graph shows no hint of it."""
    end = made.azure.clock.now() + timedelta(days=300)
    made.azure.directory.add_password(made.principal, display_name="pipeline", end=end, at_once=True)


def _certify(made: Stage) -> None:
    """Add a valid certificate to the application."""
    now = made.azure.clock.now()
    held = Certificate(
        made.azure.ids.guid(), "deploy", now, now + timedelta(days=300), "", made.azure.ids.hex(40).upper(), now
    )
    made.application.certificates.append(held)


def _decertify(made: Stage) -> None:
    made.application.certificates.clear()


def _trust(made: Stage) -> None:
    """Add a federated credential, by which another issuer's assertions sign in."""
    trust = {
        "name": "ci",
        "issuer": "https://issuer.example",
        "subject": "repo",
        "audiences": ["api://AzureADTokenExchange"],
    }
    made.application.federated.append({"id": made.azure.ids.guid(), "description": None, **trust})


def _distrust(made: Stage) -> None:
    made.application.federated.clear()


def _give_more(made: Stage) -> None:
    """Assign a role on the whole subscription, which allows pulls as well."""
    made.azure.authorization.assign(
        f"/subscriptions/{made.seeded.subscription}", made.principal.id, "Contributor", at_once=True
    )


def _lock_registry(made: Stage) -> None:
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete")


def _unlock_registry(made: Stage) -> None:
    made.azure.resources.unlock(made.seeded.registry_id)


CHANGES: dict[str, Change] = {
    "reset passwords": _reset,
    "add a password": _add,
    "remove the published password": _remove_current,
    "remove the first password": _remove_by_hand,
    "overwrite the secret": _overwrite_well,
    "overwrite the secret with garbage": _overwrite_badly,
    "roll the secret back": _roll_back_once,
    "roll the secret back to the first value": _roll_back,
    "take that off": _take_off,
    "fill the secret's tags": _fill_tags,
    "empty the secret's tags": _empty_tags,
    "delete the secret": _delete_secret,
    "recover the secret": _recover_secret,
    "edit a group": _edit,
    "recreate a group": _recreate,
    "delete a group": _delete_group,
    "stop a group": _stop,
    "start a group": _start,
    "strip tags": _strip_tags,
    "tag a group": _tag,
    "move a host": _move_host,
    "take the vault's role": _take_role,
    "give the vault's role": _give_role,
    "lock a group": _lock,
    "unlock a group": _unlock,
    "take the pull role": _take_pull,
    "give the pull role": _give_pull,
    "add a password to the service principal": _add_to_principal,
    "add a certificate": _certify,
    "remove the certificates": _decertify,
    "trust another issuer": _trust,
    "trust no other issuer": _distrust,
    "give another role": _give_more,
    "lock the registry": _lock_registry,
    "unlock the registry": _unlock_registry,
}
"""Changes by their name in stories."""

REVEALS = frozenset({"recover the secret"})
"""Changes that show what became of a published value while nobody could read it."""
HINDERS_NOTHING = frozenset({"tag a group", "move a host"})
"""Changes without influence on any verb."""
CROWDS = frozenset({"fill the secret's tags"})
"""Changes that may stop a rotation, by a veto with its remedy, but no emergency."""

NEEDS_A_PERSON = frozenset(
    {
        "reset passwords",
        "remove the published password",
        "remove the first password",
        "overwrite the secret",
        "overwrite the secret with garbage",
        "roll the secret back",
        "roll the secret back to the first value",
        "delete the secret",
        "recreate a group",
        "delete a group",
        "stop a group",
        "strip tags",
        "take the pull role",
        "add a password to the service principal",
    }
)
"""Changes after which rotator may rightly wait for a person; its exit code then reports that."""


def change(made: Stage, name: str) -> None:
    """Make a change; a change of an absent object has no effect."""
    try:
        CHANGES[name](made)
    except ServiceError:
        return
