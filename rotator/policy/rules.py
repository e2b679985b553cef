"""Rules for single values of a policy, with a remedy for each refusal.

Rules for editors of the module: every refusal has a remedy ready to paste; no refusal repeats the value, because a
secret may stand in the wrong place (`rotator.policy.mistakes` shows values in places without possible secrets).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from rotator.cloud import CLOUDS
from rotator.policy import cron as crons
from rotator.policy.durations import render
from rotator.remedy import FIND_GROUP_ID, SHOW_VAULT_URL, show_registry_id
from rotator.resource_id import GUID, SHAPE, ResourceId
from rotator.rights import GROUP_TYPE, REGISTRY_TYPE

KEY_VAULT_NAME = "[0-9a-zA-Z-]{1,127}"
"""Key Vault's own rule for the name of a secret (its REST specification; 127 characters by its documentation)."""
_SUFFIXES = "|".join(re.escape(cloud.vault_suffix) for cloud in CLOUDS.values())
_VAULT = re.compile(rf"https://[a-z][0-9a-z-]{{1,22}}[0-9a-z]\.({_SUFFIXES})", re.IGNORECASE)
"""In every cloud; a vault's name has 3 to 24 letters, digits and hyphens."""
RESOURCE = re.compile(r"[0-9A-Za-z-]{1,63}")
"""Widest form of a name that Azure's naming rules allow for registries, container groups and workspaces.

An id goes into URLs and printed commands.

Source: "Naming rules and restrictions for Azure resources".
"""
_ACCESS = "-access"


@dataclass(frozen=True, slots=True)
class Kind:
    """Type of ARM resource: noun, ARM type, the documentation's example name, and the command printing the id."""

    noun: str
    type: str
    named: str
    command: str

    @property
    def example(self) -> str:
        """Example id of this type, as written in the documentation."""
        zero = "00000000-0000-0000-0000-000000000000"
        return f"/subscriptions/{zero}/resourceGroups/myResourceGroup/providers/{self.type}/{self.named}"


REGISTRY = Kind("registry", REGISTRY_TYPE, "mycontainerregistry", show_registry_id("NAME"))
GROUP = Kind("container group", GROUP_TYPE, "mycontainer", FIND_GROUP_ID)


def refuse(problem: str, remedy: str, at: tuple[str | int, ...] = ()) -> NoReturn:
    """Refuse a value; `at` leads from the validated field to the wrong one."""
    raise PydanticCustomError("rotator", "{problem}", {"problem": problem, "remedy": remedy, "at": at})


def as_text(value: object, remedy: str) -> str:
    """Return a value that is a text."""
    if not isinstance(value, str):
        refuse("not a text", remedy)
    return str(value)


def guid(value: object) -> str:
    """A GUID, in lower case: Azure compares them without case, and so must every comparison here."""
    remedy = "Write 8-4-4-4-12 hexadecimal digits, for example 5d3c0a52-0000-0000-0000-000000000000."
    if not re.fullmatch(GUID, text := as_text(value, remedy)):
        refuse("not a GUID", remedy)
    return text.lower()


def display_name(value: object) -> str:
    """Check the display name of an application.

    Source: Microsoft Graph, "application resource type" (256 characters).
    """
    remedy = "Write the application's name: 1 to 256 characters, each of which can be printed."
    if not (1 <= len(text := as_text(value, remedy).strip()) <= 256 and text.isprintable()):
        refuse("not a name", remedy)
    return text


def _resource(value: object, kind: Kind) -> ResourceId:
    form = SHAPE.replace("<namespace>/<type>", kind.type)
    remedy = f"Write what `{kind.command}` prints: {form}."
    text = as_text(value, remedy)
    try:
        found = ResourceId.parse(text)
    except ValueError as error:
        refuse(f"not the ARM id of a {kind.noun}: {error}", remedy)
    if found.type != kind.type:
        refuse(f"the ARM id of a {found.type}, where a {kind.noun} is expected", remedy)
    if not RESOURCE.fullmatch(found.name):
        refuse(f"not a valid name of a {kind.noun}", remedy)
    return found


def registry_id(value: object) -> ResourceId:
    """Read the ARM id of a registry."""
    return _resource(value, REGISTRY)


def group_id(value: object) -> ResourceId:
    """Read the ARM id of a container group."""
    return _resource(value, GROUP)


def vault_url(value: object) -> str:
    """A vault's URL, in lower case and without a slash at its end."""
    remedy = f"Write the URL that `{SHOW_VAULT_URL}` prints: https://<name>.vault.azure.net."
    if not _VAULT.fullmatch(text := as_text(value, remedy).removesuffix("/")):
        refuse("not the URL of a key vault", remedy)
    return text.lower()


def secret_name(value: object) -> str:
    """The name of a Key Vault secret."""
    remedy = (
        "Write the name of a secret: 1 to 127 letters, digits and hyphens. The value belongs into the vault, not here."
    )
    if not re.fullmatch(KEY_VAULT_NAME, text := as_text(value, remedy)):
        refuse("not the name of a Key Vault secret", remedy)
    return text


def password_name(value: object) -> str:
    """The name of the password's secret, short enough for the access mark's name."""
    text = secret_name(value)
    if len(access_name(text)) > 127:
        refuse(
            f"too long: rotator keeps the access mark beside it, under this name and {_ACCESS}",
            "Write at most 120 characters.",
        )
    return text


def access_name(password_secret: str) -> str:
    """The name of the secret that marks the access as revoked or granted."""
    return password_secret + _ACCESS


OWN_TAGS = "rotator-"
"""Beginning of the names of rotator's own tags."""


_OF_THE_MACHINE = re.compile(r"(?i:localtime|posixrules|factory|(?:right|posix)/.*)")


def timezone(value: object) -> str:
    """Check the name of a time zone known to this machine."""
    remedy = "Write an IANA name such as Europe/Paris, America/New_York or UTC."
    if not _known(text := as_text(value, remedy)):
        refuse("not a time zone", remedy)
    return text


def _known(timezone: str) -> bool:
    """Tell if IANA has a time zone of this name.

    Other names in the machine's data base mean this machine's own zone, no zone, or one that counts leap seconds.
    """
    if _OF_THE_MACHINE.fullmatch(timezone):
        return False
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def cron(value: object) -> str:
    """Check for five cron fields matching at least one day."""
    remedy = "Write minute, hour, day of month, month and day of week: 0 2 * * SAT is every Saturday at two."
    if why := crons.wrong(as_text(value, remedy)):
        refuse(why, remedy)
    return str(value)


def at_least(least: timedelta) -> Callable[[timedelta], timedelta]:
    """Return a validator refusing durations shorter than `least`."""

    def check(value: timedelta) -> timedelta:
        if value < least:
            refuse("too short", f"Write {render(least)} or more.")
        return value

    return check


def in_order(value: timedelta, info: ValidationInfo) -> timedelta:
    """Check the order of a rotation: renew in the second half, and end the overlap before the next rotation."""
    validity, renew = info.data.get("validity"), info.data.get("renew_before")
    if info.field_name == "renew_before" and validity and not timedelta() < value <= validity / 2:
        refuse(
            f"not between 0 and {render(validity / 2)}, which is half of validity",
            f"Write at most {render(validity / 2)}, or a longer validity.",
        )
    if info.field_name == "renew_before" and not value:
        refuse("too short", "Write how long before its end a credential is replaced, for example 30d.")
    if info.field_name == "overlap" and validity and renew and value > validity - renew:
        refuse(
            "the next rotation would begin before this one's overlap ends", f"Write at most {render(validity - renew)}."
        )
    if info.field_name == "warn_before" and renew and value > renew:
        refuse(
            f"longer than renew_before, which is {render(renew)}: the warning would come before the replacement",
            f"Write at most {render(renew)}.",
        )
    return value


def often_enough(expression: str, renew_before: timedelta) -> None:
    """Refuse a window possibly closed from the due date of a credential until its end."""
    if gap := crons.longer_gap(expression, renew_before):
        problem = (
            f"opens only every {render(gap)}, and renew_before is {render(renew_before)}: a credential could end before"
            " it opens"
        )
        refuse(problem, "Let it open more often, for example 0 2 * * SAT, or write a longer renew_before.", ("cron",))


def deadline(value: timedelta, over: timedelta) -> timedelta:
    """Check for a deadline with enough time for the tries."""
    if value <= over or not value:
        refuse(
            f"too short: the last try is {render(over)} after the first",
            f"Write more than {render(over)}, for example {render(max(2 * over, timedelta(minutes=5)))}.",
        )
    return value


def reclaim(reclaim_after: timedelta, proof_deadline: timedelta) -> None:
    """Refuse to call an attempt abandoned that may still be at work."""
    if reclaim_after < 4 * proof_deadline:
        problem = (
            f"shorter than four times proof.deadline, which is {render(proof_deadline)}: a run that is still at work"
            " could lose its credential"
        )
        refuse(problem, f"Write at least {render(4 * proof_deadline)}.", ("reclaim_after",))
