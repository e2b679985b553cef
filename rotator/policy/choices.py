"""Choices of a policy: each is one of few words."""

from enum import StrEnum


class RegistryProof(StrEnum):
    """Need for an answer of the registry in a proof."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """An unreachable registry doesn't fail the proof."""


class WhenEnded(StrEnum):
    """Treatment of a group that doesn't run."""

    WAIT = "wait"
    """The group gets the new credential at its next deployment by a person or script."""
    REDEPLOY = "redeploy"
    IGNORE = "ignore"


class Runs(StrEnum):
    """Kind of work of a container group, where its restart policy doesn't tell."""

    JOB = "job"
    """The group ends by itself: it is never interrupted, and takes a new credential with its next run."""
    SERVICE = "service"
    """The group runs on: it is restarted with a new credential, in the deploy window."""


class UnseenSubscriptions(StrEnum):
    """Effect of a subscription that may not be listed."""

    BLOCK = "block"
    """The old credential stays."""
    ACCEPT = "accept"


class CredentialPart(StrEnum):
    """Part of the rotated credential."""

    PASSWORD = "password"  # noqa: S105 - a word
    USERNAME = "username"
