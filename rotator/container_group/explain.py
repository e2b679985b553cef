"""Notes for people about a container group before a redeployment: outside sources, possible changes, unseen values."""

from collections.abc import Iterator, Mapping
from typing import Any

from rotator.arm_json import Value, belongs, entries, get, server, takes_password, text
from rotator.container_group.deployment_outcome import ip_address
from rotator.container_group.embedded_password import follows, strays, unsaid
from rotator.container_group.hidden_values import Holds, places
from rotator.container_group.missing_values import sources
from rotator.container_group.value_sources import Recipes
from rotator.policy import GroupPolicy, Policy


def notes(document: Mapping[str, Any], policy: Policy, group: GroupPolicy | None) -> Iterator[str]:
    """Sentences without the group's name, in the order of their weight."""
    yield from _registries(document, policy, group)
    yield from _sources(document, policy, group)
    address = ip_address(document)
    if address and not get(document, "properties", "ipAddress", "dnsNameLabel"):
        yield f"its IP address {address} is usually kept when it is redeployed, and not always"
    if text(document, "properties", "priority").lower() == "spot":
        yield "it is a Spot group: Azure may have no room for it when it is redeployed, as at any other time"
    if text(document, "properties", "sku").lower() == "confidential":
        yield "it is a confidential group: its ccePolicy stays as it is, and may forbid a variable to change its value"


def _registries(document: Mapping[str, Any], policy: Policy, group: GroupPolicy | None) -> Iterator[str]:
    app_id = policy.principal.app_id
    mine = [entry for entry in entries(document) if belongs(entry, app_id)]
    others = [
        server(entry) for entry in entries(document) if not takes_password(entry) and not _referring(entry, app_id)
    ]
    if others:
        yield (
            f"needs no rotation for {', '.join(sorted(set(others)))}: an identity or somebody else's password pulls"
            " there"
        )
    for host in strays(document, policy):
        yield (
            f"takes this principal's password for {host} from a secret that rotator doesn't write, and isn't waited"
            " for: refer to the published one"
        )
    if follows(document, policy):
        secret = policy.key_vault.password_secret
        yield (
            f"Azure reads {secret} for it when it is redeployed, and nobody knows when else: it moves like the others,"
            " and has no way back"
        )
    if group and not mine and not others:
        yield f"has no registry entry with the user name {app_id}"
    if group and not mine and (paths := unsaid(document, policy, group)):
        how = (
            f"write `{{credential: password}}` under `secrets:` in {policy.file} if so, and `{{key_vault: NAME}}` if it"
            " is another secret"
        )
        yield f"{', '.join(paths)} may hold the password, and keeps an old one from being removed: {how}"


def _referring(entry: Value, app_id: str) -> bool:
    """Tell if an entry of this principal takes the password from Key Vault."""
    return belongs(entry, app_id) and bool(get(entry, "passwordReference"))


def _sources(document: Mapping[str, Any], policy: Policy, group: GroupPolicy | None) -> Iterator[str]:
    known = Recipes.of(policy, group)
    if names := [one.key_vault for one in sources(policy, document, group)]:
        listed = ", ".join(names)
        yield (
            f"values that Azure hides are put back from {policy.key_vault.host}: {listed}. Whether it has the same now"
            " can't be seen"
        )
    written = [place for place in places(document) if known.writes(place)]
    for place in written:
        if place.holds is Holds.FILES:
            files = ", ".join(sorted(known.for_place(place)))
            yield (
                f"{place.path.removesuffix('/secret')} will have exactly these files: {files}. Which it has now can't"
                " be seen"
            )
    if inside := [place.path for place in written if known.password(place)]:
        yield f"the new password also goes into {', '.join(inside)}"
