"""Token issue and verification: secrets as known to the replicas of the token endpoint, signed access tokens.

The replicas learn of a new or a removed secret one after another, and take turns in answers for an application. So
answers flap until the last replica has learned, as in Azure.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Literal

from local_azure.clock import Clock
from local_azure.entra import assertions, refusals, signing
from local_azure.entra.audiences import GRAPH, KNOWN, plain
from local_azure.entra.bearers import Bearers, TokenState
from local_azure.faults import Faults
from local_azure.graph.behaviour import Directory
from local_azure.graph.objects import ServicePrincipal
from local_azure.ids import Ids
from local_azure.timing import Timing

Verdict = Literal["accepted", "expired", "refused"]


MANAGED_LIFE = 86_399
"""Seconds for which a managed identity's token is good: a day."""

NIL = "00000000-0000-0000-0000-000000000000"
"""The empty GUID."""
_NAME = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[\w-]+(\.[\w-]+)+")
"""Pattern of a tenant's name: a GUID or a domain."""
_DEFAULT = re.compile(r"(?P<resource>.+?/?)/\.default")


class Tokens(Bearers):
    """The token service of one tenant. `key` is an RSA key as PEM; without one the process's own is taken."""

    def __init__(
        self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, directory: Directory, key: str | None = None
    ) -> None:
        self.clock, self.ids, self.timing, self.faults, self.directory = clock, ids, timing, faults, directory
        self.state = TokenState(key or signing.process_key())
        self._verified: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()

    # secrets

    def authenticates(self, app_id: str, secret: str) -> bool:
        """Tell if the next replica in turn accepts the secret."""
        principal = self.directory.principal(app_id)
        verdict = self._verdict(app_id, secret, self._replica(app_id))
        return verdict == "accepted" and principal is not None and self.directory.enabled(principal)

    def authenticates_everywhere(self, app_id: str, secret: str) -> bool:
        """Tell if every replica accepts the secret; the replicas' turns stay unchanged."""
        principal = self.directory.principal(app_id)
        if principal is None or not self.directory.enabled(principal):
            return False
        return all(self._verdict(app_id, secret, replica) == "accepted" for replica in range(self.timing.replicas))

    def _replica(self, app_id: str) -> int:
        turn = self.state.turns.get(app_id.lower(), 0)
        self.state.turns[app_id.lower()] = turn + 1
        return turn % self.timing.replicas

    def _verdict(self, app_id: str, secret: str, replica: int) -> Verdict:
        now = self.clock.now()
        known = [
            each
            for each in self.directory.passwords(app_id)
            if each.secret == secret and each.known_to(replica, now, self.timing)
        ]
        if any(each.start <= now < each.end for each in known):
            return "accepted"
        return "expired" if any(each.end <= now for each in known) else "refused"

    # tokens

    def issue(
        self,
        tenant: str,
        client_id: str,
        secret: str | None,
        scope: str,
        claims: str | None = None,
        assertion: str | None = None,
    ) -> dict[str, Any]:
        """The answer of the v2.0 endpoint to client credentials; `scope` is ``<resource>/.default``.

        Raises ServiceError (AADSTS…).
        """
        match = _DEFAULT.fullmatch(scope)
        if match is None:
            raise refusals.BAD_SCOPE.about(scope=scope)
        return self.issue_for(tenant, client_id, secret, match["resource"], claims, assertion)

    def issue_for(
        self,
        tenant: str,
        client_id: str,
        secret: str | None,
        resource: str,
        claims: str | None = None,
        assertion: str | None = None,
    ) -> dict[str, Any]:
        """Return the answer of the v1 endpoint to client credentials; `resource` is a resource's name.

        Raises ServiceError (AADSTS…).
        """
        asked = _capabilities(claims)
        self.require_tenant(tenant)
        shown = None if secret or not assertion else assertion
        principal = self._signed_in(client_id, secret) if shown is None else self._certified(client_id, shown)
        self._require_resource(resource)
        seconds = int(self.timing.token_life)
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self._token(
                principal, resource, seconds, {"appidacr": "1" if shown is None else "2", **asked}
            ),
        }

    def issue_managed(self, principal: ServicePrincipal, resource_id: str, resource: str) -> dict[str, str]:
        """A token for a managed identity, as the local endpoints hand it out. Raises ServiceError (AADSTS500011)."""
        self._require_resource(resource)
        begun = int(self.clock.now().timestamp())
        return {
            "access_token": self._token(principal, resource, MANAGED_LIFE, {"appidacr": "2", "xms_mirid": resource_id}),
            "client_id": principal.app_id,
            "expires_in": str(MANAGED_LIFE),
            "expires_on": str(begun + MANAGED_LIFE),
            "not_before": str(begun - 300),
            "resource": resource,
            "token_type": "Bearer",
        }

    def _require_resource(self, resource: str) -> None:
        if plain(resource) not in KNOWN and self._own_resource(resource) is None:
            raise refusals.UNKNOWN_RESOURCE.about(resource=resource, directory=self.directory.state.organization)

    def require_tenant(self, tenant: str) -> None:
        """Check the tenant in a path, by id or by domain. Raises ServiceError 400 for another tenant."""
        if tenant.lower() in ("common", "organizations", "consumers"):
            raise refusals.NO_TENANT.about()
        if tenant == NIL:
            raise refusals.EMPTY_TENANT.about(tenant=tenant)
        if not self.is_tenant(tenant):
            raise (refusals.UNKNOWN_TENANT if _NAME.fullmatch(tenant) else refusals.NO_DOMAIN).about(tenant=tenant)

    def is_tenant(self, name: str) -> bool:
        """Tell if `name` is this tenant's id or domain."""
        return name.lower() in (self.directory.tenant.lower(), self.directory.state.domain.lower())

    def _certified(self, client_id: str, text: str) -> ServicePrincipal:
        """Return the service principal signed in by an assertion.

        The answering replica must know the certificate. Raises ServiceError (AADSTS…); 501 for an assertion accepted by
        a federated identity credential, except for the check of the signature.
        """
        principal, application = self._client(client_id), self.directory.application(client_id)
        shown, now = assertions.read(text), self.clock.now()
        if shown.issuer.lower() != client_id.lower():
            raise assertions.refusal(shown, [*(application.federated if application else ()), *principal.federated])
        if not self.directory.enabled(principal):
            raise refusals.DISABLED.about(app_id=client_id, name=principal.display_name)
        replica = self._replica(client_id)
        known = [each for each in self.directory.certificates(client_id) if each.known_to(replica, now, self.timing)]
        found = assertions.signer(shown, client_id, application, known)
        assertions.addressed(shown, client_id, self.is_tenant)
        if not found.start <= now < found.end:
            about = {
                "app_id": client_id,
                "digest": found.identifier,
                "object_id": application.id if application else client_id,
            }
            raise refusals.UNKNOWN_KEY.about(reason="The key used is expired.", **about)
        return principal

    def _client(self, client_id: str) -> ServicePrincipal:
        application, principal = self.directory.application(client_id), self.directory.principal(client_id)
        if principal is None and application is None:
            raise refusals.UNKNOWN_APPLICATION.about(app_id=client_id, directory=self.directory.state.organization)
        if principal is None:
            raise refusals.NO_PRINCIPAL.about(app_id=client_id, tenant=self.directory.tenant)
        return principal

    def _signed_in(self, client_id: str, secret: str | None) -> ServicePrincipal:
        principal = self._client(client_id)
        if not secret:
            raise refusals.NO_SECRET.about()
        if not self.directory.enabled(principal):
            raise refusals.DISABLED.about(app_id=client_id, name=principal.display_name)
        verdict = self._verdict(client_id, secret, self._replica(client_id))
        if verdict == "accepted":
            return principal
        raise (refusals.EXPIRED_SECRET if verdict == "expired" else refusals.INVALID_SECRET).about(app_id=client_id)

    def _own_resource(self, resource: str) -> ServicePrincipal | None:
        """Return the service principal of a resource that is an application of this tenant.

        The name is the application ID, ``api://`` and the ID, or an identifier URI.
        """
        if found := self.directory.principal(plain(resource).removeprefix("api://")):
            return found
        for each in self.directory.state.applications.values():
            if not each.deleted and plain(resource) in map(plain, each.properties.get("identifierUris") or ()):
                return self.directory.principal(each.app_id)
        return None

    def _token(self, principal: ServicePrincipal, resource: str, life: int, asked: dict[str, Any]) -> str:
        now = int(self.clock.now().timestamp())
        own = None if plain(resource) in KNOWN else self._own_resource(resource)
        roles = principal.app_roles if plain(resource) in GRAPH else self._roles(principal, own)
        claims: dict[str, Any] = {
            "aud": resource,
            "iss": self.issuer(),
            "iat": now - 300,
            "nbf": now - 300,
            "exp": now + life,
            "appid": principal.app_id,
            "idp": self.issuer(),
            "idtyp": "app",
            "oid": principal.id,
            **({"roles": list(roles)} if roles else {}),
            "rh": "1." + self.ids.hex(32),
            "sub": principal.id,
            "tid": self.directory.tenant,
            "uti": self.ids.hex(22),
            "ver": "1.0",
            **asked,
        }
        return signing.sign(self._second(claims, own) if own and self._wants_second(own) else claims, self.state.key)

    def _wants_second(self, own: ServicePrincipal) -> bool:
        """Tell if an application asks for tokens of version 2."""
        application = self.directory.application(own.app_id)
        api = application.properties.get("api") if application else None
        return (api or {}).get("requestedAccessTokenVersion") == 2

    def _second(self, claims: Mapping[str, Any], own: ServicePrincipal) -> dict[str, Any]:
        """Return a token's claims in version 2 (Microsoft's "Access token claims reference")."""
        issuer = f"https://login.microsoftonline.com/{self.directory.tenant}/v2.0"
        names = {"appid": "azp", "appidacr": "azpacr"}
        renamed = {names.get(name, name): value for name, value in claims.items() if name not in ("idp", "idtyp")}
        return {**renamed, "aud": own.app_id, "iss": issuer, "ver": "2.0"}

    def _roles(self, principal: ServicePrincipal, own: ServicePrincipal | None) -> list[str]:
        """Return the roles of an application of this tenant that a principal has."""
        application = self.directory.application(own.app_id) if own else None
        declared = application.properties.get("appRoles") or [] if application else []
        given = {grant.app_role_id for grant in principal.grants if own and grant.resource_app_id == own.app_id}
        return [each["value"] for each in declared if str(each.get("id")).lower() in given and each.get("value")]


def _capabilities(claims: str | None) -> dict[str, Any]:
    """Return the client capabilities requested in a ``claims`` parameter for the token.

    The claims of a challenge ask for none.

    Raises ServiceError 400 for text other than JSON.
    """
    if not claims:
        return {}
    try:
        asked = json.loads(claims)["access_token"]
        return {"xms_cc": asked["xms_cc"]["values"]} if "xms_cc" in asked or not asked else {}
    except (ValueError, KeyError, TypeError) as error:
        raise refusals.MALFORMED.about() from error
