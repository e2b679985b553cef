"""Users of the tenant: creation, names, and deletion.

Source: Microsoft Graph v1.0, "Create user"; refusals as users of the API report them. A password is checked and not
stored, because the emulator has no sign-in of users.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.graph.objects import User
from local_azure.graph.properties import check, storable
from local_azure.graph.records import Records
from local_azure.graph.refusals import required
from local_azure.wire import ServiceError

REQUIRED = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile")
"""Properties that every new user must have."""

KINDS_OF_CHARACTERS = (r"[a-z]", r"[A-Z]", r"\d", r"[^a-zA-Z\d]")
"""A password has at least three of these and eight characters."""


@dataclass(frozen=True, slots=True)
class Users:
    """The users of a directory."""

    records: Records

    def create(self, properties: Mapping[str, Any]) -> User:
        """Make a user. Raises ServiceError 400."""
        for name in REQUIRED:
            if properties.get(name) is None:
                raise required(name, "User")
        check(properties, "users")
        self.permit(properties, None)
        made = User(self.records.ids.guid(), properties["displayName"], self.records.clock.now(), kept(properties))
        self.records.state.users[made.id] = made
        return made

    def permit(self, changes: Mapping[str, Any], own: str | None) -> None:
        """Check a user's name and password; a change of the profile may leave the password. Raises ServiceError 400."""
        profile = changes.get("passwordProfile")
        if "passwordProfile" in changes and not (own and isinstance(profile, dict) and "password" not in profile):
            _strong(profile)
        name = changes.get("userPrincipalName")
        if name is None:
            return
        if not re.fullmatch(rf"[^@\s]+@{re.escape(self.records.state.domain)}", str(name), re.IGNORECASE):
            message = (
                "The domain portion of the userPrincipalName property is invalid. You must use one of the verified"
                " domain names in your organization."
            )
            raise ServiceError(400, "Request_BadRequest", message)
        other = self.find(str(name))
        if other and other.id != own:
            message = "Another object with the same value for property userPrincipalName already exists."
            detail = {"code": "ObjectConflict", "message": message, "target": "userPrincipalName"}
            raise ServiceError(400, "Request_BadRequest", message, extra={"details": [detail]})

    def find(self, name_or_id: str) -> User | None:
        """A user by id or principal name, in any case, as it is now."""
        wanted = name_or_id.lower()
        return next((user for user in self._here() if wanted in (user.id, user.name.lower())), None)

    def key(self, name_or_id: str) -> str:
        """The id of a user; what was asked for itself where there is none, for the 404 to name."""
        found = self.find(name_or_id)
        return found.id if found else name_or_id

    def _here(self) -> Iterator[User]:
        return (user for user in self.records.state.users.values() if user.deleted is None)


def kept(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as they are stored: the name has a place of its own, and a password has none."""
    return {
        name: value for name, value in storable(properties).items() if name not in ("displayName", "passwordProfile")
    }


def _strong(profile: Any) -> None:
    """Check a password's strength. Raises ServiceError 400 for a weak or missing password."""
    password = profile.get("password") if isinstance(profile, dict) else None
    kinds = sum(bool(re.search(kind, password)) for kind in KINDS_OF_CHARACTERS) if isinstance(password, str) else 0
    if not isinstance(password, str) or len(password) < 8 or kinds < 3:
        message = (
            "The specified password does not comply with password complexity requirements. Please provide a different"
            " password."
        )
        detail = {"code": "InvalidPassword", "message": message, "target": "password"}
        raise ServiceError(400, "Request_BadRequest", message, extra={"details": [detail]})
