"""Say what to do about a container group that Azure refuses to deploy: by the cause that its code comes to."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rotator.causes import Cause, Grounds
from rotator.remedy.containers import delete_group, register_provider
from rotator.remedy.local import rotator
from rotator.resource_id import ArmId
from rotator.rights import GROUP_TYPE

Parts = tuple[str, tuple[str, ...]]
"""The text of an advice, and its commands."""


def _with(text: str, *commands: str) -> Parts:
    return text if commands else f"{text}.", commands


def _fixed(grounds: Grounds) -> Parts:
    text = (
        "Azure can't change these values of an existing container group, so change them back in the manifest. To"
        " change them, delete the group and deploy it again with `rotator deploy`: it is down in between"
    )
    return _with(text, *([delete_group(grounds.resource)] if grounds.resource else []))


def _unregistered(grounds: Grounds) -> Parts:
    subscription = ArmId(grounds.resource).subscription
    text = "The subscription is not registered to use the service. Register it; Azure needs some minutes for that"
    return _with(text, *([register_provider("Microsoft.ContainerInstance", subscription)] if subscription else []))


def _always(text: str, *commands: str) -> Callable[[Grounds], Parts]:
    return lambda _: (text, commands)


OF_GROUPS: Mapping[Cause, Callable[[Grounds], Parts]] = MappingProxyType(
    {
        Cause.IMAGE: _always(
            "Azure could not pull an image. Its code is the same for a missing image, a wrong password, a missing role"
            " and a closed firewall. Find out which it is",
            rotator("doctor"),
        ),
        Cause.REGISTRY_BUSY: _always(
            "The registry of an image failed, or limits pulls (as Docker Hub does without an account): run again"
            " later, give the group an entry with an account for that registry, or copy the image into a registry of"
            " your own."
        ),
        Cause.REGISTRY_ENTRIES: _always(
            "Azure refuses the group's `imageRegistryCredentials`: it takes at most one entry for each container, each"
            " with a `server` (a host name without https://) and either a `username` with its `password` or an"
            " `identity` that the group has. Correct them in the manifest, or in the group by its own means; an entry"
            " from which no container pulls can go."
        ),
        Cause.FIXED: _fixed,
        Cause.GROUP_CONTENT: _always(
            "Azure refuses a value of the group, and its words name it: correct it in the manifest, or in the group by"
            " its own means."
        ),
        Cause.GROUP_BUSY: _always(
            "Another change of the group is under way. Run again when it has ended; a group that stays so for an hour"
            " needs Azure's support, or has to be deleted and deployed again."
        ),
        Cause.SUBNET: _always(
            "The group's subnet does not take container groups: it has to exist, have free addresses, and be delegated"
            f" to {GROUP_TYPE}, and nothing else may be in it."
        ),
        Cause.REGION: _always(
            "The region does not fit: Container Instances may not be offered there, or the group exists in another one."
            " Correct `location` in the manifest."
        ),
        Cause.UNREGISTERED: _unregistered,
        Cause.SUBSCRIPTION_CLOSED: _always(
            "The subscription is disabled, or may only be read: have its owner enable it in the portal (payment,"
            " spending limit). Until then no password can be given to its container groups."
        ),
    }
)
"""Advice by cause."""
