"""Rules for the `secrets` of a container group: paths of hidden values, and what may stand for each.

Every refusal has a remedy ready to paste, and none repeats the value (`rotator.policy.rules`).
"""

import re
from collections.abc import Callable, Mapping

from rotator.policy.rules import RESOURCE, as_text, refuse
from rotator.remedy import SHOW_WORKSPACE_ID
from rotator.resource_id import ResourceId

WORKSPACE_ID = "diagnostics/log_analytics/workspace_resource_id"
"""The one place whose value is no secret, and may be said in a policy: Azure hides it all the same."""
PATH = (
    "(containers|init_containers)/[^/]+/env/[^/]+|volumes/[^/]+/secret(/[^/]+)?|volumes/[^/]+/azure_file/storage_account_key"
    "|diagnostics/log_analytics/(workspace_key|workspace_resource_id)|image_registry_credentials/[^/]+/password|extensions/[^/]+/protected_settings"
)
_PATH = 500
"""Characters of the longest: names of containers and volumes have at most 63, those of variables and files are no
longer than a line.
"""
PATHS = (
    "containers/<container>/env/<NAME>",
    "init_containers/<container>/env/<NAME>",
    "volumes/<volume>/secret/<KEY>",
    "volumes/<volume>/secret",
    "volumes/<volume>/azure_file/storage_account_key",
    "diagnostics/log_analytics/workspace_key",
    WORKSPACE_ID,
    "image_registry_credentials/<server>/password",
    "extensions/<extension>/protected_settings",
)
"""Paths of the values in a container group that Azure never shows."""
SOURCE = (
    "Write {key_vault: NAME} for a secret of the policy's vault, {credential: password} or {credential: username};"
    " never the value itself."
)
NONE = "none"
STATED = (
    f"Only {WORKSPACE_ID} takes a value, which is no secret: {{value: {NONE}}} if the group never had one, else"
    f" {{value: ID}} with what `{SHOW_WORKSPACE_ID}` prints. Elsewhere: {SOURCE}"
)
VOLUME = re.compile(r"volumes/[^/]+/secret")
EMPTY = re.compile(
    f"{WORKSPACE_ID}|{VOLUME.pattern}|extensions/[^/]+/protected_settings|(containers|init_containers)/[^/]+/env/[^/]+"
)
"""Paths whose value may be empty, which a GET does not show."""
_WORKSPACE = "Microsoft.OperationalInsights/workspaces"


def path(value: object) -> str:
    """Check the path of a hidden value in a container group."""
    remedy = f"Write one of {', '.join(PATHS)}."
    if not re.fullmatch(PATH, found := as_text(value, remedy)) or len(found) > _PATH or not found.isprintable():
        refuse("not a path of a hidden value in a container group", remedy)
    return found


def stated(value: object) -> str:
    """Check a hidden value without a secret: the ARM id of a workspace, or `none`.

    An empty value is refused.
    """
    if value != NONE and not (isinstance(value, str) and _is_workspace(value)):
        refuse(f"neither the ARM id of a Log Analytics workspace nor {NONE}", STATED)
    return str(value)


def _is_workspace(id_: str) -> bool:
    try:
        found = ResourceId.parse(id_)
    except ValueError:
        return False
    return found.type == _WORKSPACE and bool(RESOURCE.fullmatch(found.name))


def only_where_no_secret_is(path_: str, value: str) -> None:
    """Refuse a value itself in the place of a secret, and a missing value where Azure takes none."""
    if value == NONE and not EMPTY.fullmatch(path_):
        refuse("a value that is never empty: Azure refuses a group without it", SOURCE, (path_, "value"))
    if value != NONE and path_ != WORKSPACE_ID:
        refuse(
            f"a literal value, which only {WORKSPACE_ID} may have",
            f"{SOURCE} Write {{value: {NONE}}} if there is none. No secret belongs into a policy.",
            (path_, "value"),
        )


def volumes_whole(secrets: Mapping[str, object], stated: Callable[[object], bool]) -> None:
    """Refuse a source for a whole secret volume, and files in a volume that is stated to have none."""
    for path_, source in secrets.items():
        if not VOLUME.fullmatch(path_):
            continue
        if not stated(source):
            refuse(
                "a secret volume, which has one source for each of its files",
                f"Write {path_}/<KEY> for each file, or {{value: {NONE}}} if the volume is empty.",
                (path_,),
            )
        if any(other.startswith(f"{path_}/") for other in secrets):
            refuse(
                "a volume without files, but the policy also names files of it",
                "Remove this line, or the lines of the files.",
                (path_,),
            )


def no_copies(secrets: Mapping[str, object], published: Mapping[str | None, str], index: int) -> None:
    """Refuse to read the rotated credential by its secret's name.

    In a redeployment, only `credential` means the deployed version.
    """
    for path_, source in secrets.items():
        if (meant := published.get(getattr(source, "key_vault", ""))) is not None:
            refuse(
                "the secret that this policy publishes",
                f"Write {{credential: {meant}}}.",
                (index, "secrets", path_, "key_vault"),
            )
