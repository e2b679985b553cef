"""Outcome of trying a credential against Entra and a registry."""

from dataclasses import dataclass
from enum import StrEnum

from rotator.causes import Grounds

OTHER_TEXT = "other text"
"""Name of stray characters around a value that are neither white space nor quotes."""
BASE64, URL = "base64 encoding", "URL encoding"
"""Names of encodings of a value."""


class Outcome(StrEnum):
    """Outcome of one try of a credential."""

    PROVEN = "proven"
    REFUSED = "refused"
    """Entra doesn't take the password (AADSTS7000215): wrong, removed, or not yet known to that replica."""
    EXPIRED = "expired"
    """Entra knows the password as one of this application that has ended (AADSTS7000222)."""
    NO_PULL = "no_pull"
    """The password authenticates, and the registry refuses the pull (401, 403): the principal has no role."""
    DISABLED = "disabled"
    """Entra doesn't know the principal, or refuses every sign-in as it."""
    UNREACHABLE = "unreachable"
    """The registry or Entra gave no usable answer, or the network is denied."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of one try of a credential against Entra and the registry.

    `missing` are images absent from the registry (404), or at an endpoint of one region that gives no answer, though
    the registry does: `unanswered`.

    `served` are the images allowed by the registry, missing ones included, whatever became of the others; `digests` are
    the current digests of their names. `nobody`: Entra refused the principal itself, so that no sign-in as the
    principal works, from any place and with any credential. `signed_in`: Entra gave a token, whatever the registry
    answered then. `around` names stray characters around a value otherwise correct.
    """

    outcome: Outcome
    detail: str = ""
    missing: tuple[str, ...] = ()
    registry_reached: bool = True
    served: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    nobody: bool = False
    signed_in: bool = False
    around: str = ""
    unanswered: tuple[str, ...] = ()
    grounds: Grounds | None = None
    """Cause of a refused sign-in, with its details."""

    def absence(self, image: str) -> str:
        """Return in words why a missing image can't be pulled."""
        host = image.partition("/")[0]
        return f"{host} gives no answer" if image in self.unanswered else f"the registry doesn't have {image}"

    @property
    def ok(self) -> bool:
        """Tell if the credential authenticated and pulled every existing image."""
        return self.outcome is Outcome.PROVEN

    @property
    def signs_in(self) -> bool | None:
        """Tell if Entra accepts the password; None if the try doesn't show it."""
        if self.signed_in:
            return True
        return False if self.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.DISABLED) else None
