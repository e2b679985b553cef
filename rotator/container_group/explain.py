"""Notes for people about a container group before a redeployment: outside sources, possible changes, unseen values."""

from collections.abc import Iterator

from rotator.arm_json import Value, belongs, entries, get, server, takes_password, text
from rotator.container_group.deployment_outcome import ip_address
from rotator.container_group.document import Document
from rotator.container_group.embedded_password import follows, strays, unsaid
from rotator.container_group.hidden_values import Holds
from rotator.container_group.missing_values import sources


def notes(document: Document) -> Iterator[str]:
    """Sentences without the group's name, in the order of their weight."""
    body = document.body
    yield from _registries(document)
    yield from _sources(document)
    address = ip_address(body)
    if address and not get(body, "properties", "ipAddress", "dnsNameLabel"):
        yield f"a redeployment usually keeps its IP address {address}, but not always"
    if text(body, "properties", "priority").lower() == "spot":
        yield "it is a Spot group: Azure may have no capacity for it at a redeployment"
    if text(body, "properties", "sku").lower() == "confidential":
        yield "it is a confidential group: its ccePolicy is not changed, and may forbid a new value of a variable"


def _registries(document: Document) -> Iterator[str]:
    app_id, listed = document.app_id, entries(document.body)
    mine = [entry for entry in listed if belongs(entry, app_id)]
    others = [server(entry) for entry in listed if not takes_password(entry) and not _referring(entry, app_id)]
    if others:
        yield (f"needs no rotation for {', '.join(sorted(set(others)))}: another identity or password is used there")
    for host in strays(document):
        yield (
            f"takes this principal's password for {host} from a secret that rotator does not write, so no removal"
            " waits for this group: refer to the published secret"
        )
    if follows(document):
        secret = document.policy.key_vault.password_secret
        yield (
            f"Azure reads {secret} for the group at a redeployment, and possibly at other times. rotator redeploys"
            " the group like the others, but can't put it back on the previous credential"
        )
    if document.declared and not mine and not others:
        yield f"has no registry entry with the user name {app_id}"
    if document.declared and not mine and (paths := unsaid(document)):
        how = (
            f"write `{{credential: password}}` under `secrets:` in {document.policy.file} if so, and"
            " `{key_vault: NAME}` if it is another secret"
        )
        yield f"{', '.join(paths)} may hold the password, so an old password is not removed: {how}"


def _referring(entry: Value, app_id: str) -> bool:
    """Tell if an entry of this principal takes the password from Key Vault."""
    return belongs(entry, app_id) and bool(get(entry, "passwordReference"))


def _sources(document: Document) -> Iterator[str]:
    known = document.recipes
    if names := [one.key_vault for one in sources(document)]:
        listed = ", ".join(names)
        yield (
            f"Azure hides values of the group; a redeployment sets them from {document.policy.key_vault.host}:"
            f" {listed}. rotator can't compare them with the present values"
        )
    written = [place for place in document.places if known.writes(place)]
    for place in written:
        if place.holds is Holds.FILES:
            files = ", ".join(sorted(known.for_place(place)))
            yield (
                f"{place.path.removesuffix('/secret')} will have exactly these files: {files}. Azure does not show"
                " its present files"
            )
    if inside := [place.path for place in written if known.password(place)]:
        yield f"the new password also goes into {', '.join(inside)}"
