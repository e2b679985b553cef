"""Decide if a pull succeeds: the oracle shared by container groups, proofs and invariants.

A pull needs a reachable registry, a user able to authenticate *now*, rights to pull *now*, and the image.
"""

from local_azure.acr.contents import Contents
from local_azure.acr.image import Image, Stored, build
from local_azure.acr.limits import Limits
from local_azure.acr.refusal import Refused
from local_azure.acr.rights import DENIED, Kind, PullIdentity, Rights
from local_azure.acr.state import RegistryState
from local_azure.acr.tokens import Mint
from local_azure.acr.uploads import Uploads
from local_azure.arm.behaviour import REGISTRIES, Resource, Resources
from local_azure.arm.notices import tell
from local_azure.clock import Clock
from local_azure.entra.behaviour import Tokens
from local_azure.faults import Faults
from local_azure.ids import Ids
from local_azure.rbac.behaviour import Authorization
from local_azure.timing import Timing

SUFFIXES = (".azurecr.io", ".azurecr.us", ".azurecr.cn")
"""The login servers' domains of the public cloud, US Government and China."""


class Registries:
    """Every registry of the tenant.

    The registries themselves are resources of `Resources`; here is what they hold and whom they serve.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        timing: Timing,
        faults: Faults,
        resources: Resources,
        authorization: Authorization,
        tokens: Tokens,
    ) -> None:
        self.clock, self.ids, self.timing, self.faults = clock, ids, timing, faults
        self.resources, self.authorization, self.tokens = resources, authorization, tokens
        self.state = RegistryState(key=ids.hex(64))
        self.mint = Mint(clock, lambda: self.state.key, timing.registry_token_life)
        self.rights = Rights(resources, authorization, tokens, self.mint)
        self.contents = Contents(clock, lambda: self.state, self._home)
        self.uploads = Uploads(ids, self.contents, lambda: self.state)
        self.limits = Limits(clock, lambda: self.state)
        self.contents.told.append(self._tell)
        self.contents.absent.append(self._cache)
        resources.removed.append(self._gone)

    def push(
        self,
        login_server: str,
        repository: str,
        tag: str,
        *,
        digest: str | None = None,
        exit_code: int | None = None,
        run_seconds: float | None = None,
        logs: str = "",
    ) -> str:
        """Put a new image under `tag` and return the digest, without a pushing client.

        With `digest`, tag an image already in the repository (LookupError if absent). Containers made from the image
        end with `exit_code` after `run_seconds`, or serve for ever under restart policy Always if `exit_code` is None.
        """
        if digest is None:
            return self.contents.build(
                login_server, repository, tag, exit_code=exit_code, run_seconds=run_seconds, logs=logs
            )
        self.contents.tag(login_server, repository, tag, digest)
        return digest

    def retag(self, login_server: str, repository: str, tag: str, digest: str) -> None:
        """Point `tag` at another image of the repository (LookupError if the repository lacks the digest)."""
        self.contents.tag(login_server, repository, tag, digest)

    def delete_tag(self, login_server: str, repository: str, tag: str) -> None:
        """Delete the tag and the tagged image, as ``az acr repository delete --image`` does (Refused if absent)."""
        self.contents.delete_manifest(login_server, repository, self.stored(login_server, repository, tag).digest)

    def pull(self, login_server: str, username: str, password: str, repository: str, reference: str) -> Image:
        """Pull as a host does, with a user name and password, this instant. Raises Refused."""
        registry = self.rights.registry(login_server)
        identity = self.rights.identify(registry, username, password)
        return self._pull(registry, identity, login_server, repository, reference)

    def pull_as(self, oid: str, login_server: str, repository: str, reference: str) -> Image:
        """Pull as the managed identity with principal `oid`, which a closed firewall may let through.

        Raises Refused.
        """
        registry = self.rights.registry(login_server, trusted=True)
        return self._pull(registry, PullIdentity(Kind.PRINCIPAL, oid, oid), login_server, repository, reference)

    def could_pull(self, app_id: str, secret: str, login_server: str, repository: str, reference: str) -> bool:
        """Tell if a pull would succeed now at every token endpoint replica. Changes no state."""
        try:
            registry = self.rights.registry(login_server)
            identity = self.rights.known(registry, app_id, secret)
            self._pull(registry, identity, login_server, repository, reference)
        except Refused:
            return False
        return True

    def stored(self, login_server: str, repository: str, reference: str) -> Stored:
        """The image that a tag or digest names. Raises Refused NAME_UNKNOWN or MANIFEST_UNKNOWN."""
        return self.contents.stored(login_server, repository, reference)

    def admin_passwords(self, login_server: str) -> tuple[str, str]:
        """The admin user's two passwords; they count only while ``adminUserEnabled`` is true."""
        return self.resources.access.admin_passwords(self._id(login_server))

    def regenerate_admin_password(self, login_server: str, index: int) -> str:
        """Replace the first (0) or second (1) password of the admin user, which takes a minute to spread."""
        return self.resources.access.regenerate(self._id(login_server), index)

    def _pull(
        self, registry: Resource, identity: PullIdentity, login_server: str, repository: str, reference: str
    ) -> Image:
        if not self.rights.may(registry, identity, "pull", repository):
            raise Refused("DENIED", DENIED)
        stored, home = (
            self.stored(login_server, repository, reference),
            self.contents.repository(login_server, repository),
        )
        self.contents.require_allowed(home, "read", "", reference, stored.digest)
        return stored.image()

    def _tell(self, host: str, action: str, repository: str, stored: Stored, tag: str) -> None:
        """Send the event to the registry's webhooks."""
        registry = self.resources.registry(host)
        access = self.resources.access.of(registry.id) if registry else None
        if access is None or not access.webhooks:
            return
        size = len(stored.manifest.encode())
        target = {
            "mediaType": stored.media_type,
            "size": size,
            "digest": stored.digest,
            "length": size,
            "repository": repository,
        }
        tell(access, self.ids.guid(), self.clock.now(), action, target | ({"tag": tag} if tag else {}))

    def _cache(self, host: str, repository: str, tag: str) -> None:
        """Copy an image that a cache rule of the registry is about: a public registry has every image."""
        registry = self.resources.registry(host)
        rules = self.resources.access.of(registry.id).cache_rules.values() if registry else ()
        origin = next((found for rule in rules if (found := rule.origin(repository))), None)
        if origin:
            self.contents.take(host, repository, build(f"{origin}:{tag}"), tag)

    def _gone(self, resource: Resource) -> None:
        """Remove the contents of a deleted registry."""
        if resource.type.lower() == REGISTRIES.lower():
            for kept in (self.state.repositories, self.state.blobs, self.state.uploads):
                kept.pop(resource.properties["loginServer"].lower(), None)

    def _home(self, host: str) -> str:
        """Return the login server of the registry at a regional endpoint; any other host stays."""
        registry = self.resources.registry(host) if ".geo." in host else None
        return str(registry.properties["loginServer"]).lower() if registry else host.lower()

    def _id(self, login_server: str) -> str:
        """The id of the registry at a login server; LookupError if there is none."""
        found = self.resources.registry(login_server)
        if found is None:
            raise LookupError(f"there is no registry {login_server!r}")
        return found.id


__all__ = ["SUFFIXES", "Registries"]
