"""Read all ways to sign in as a principal: passwords, certificates and federated credentials of both its objects.

Parts not readable or not found are reported in words as part of the picture: neither proves an end of access. Sources:
Microsoft Graph v1.0, "keyCredential resource type" (a read that selects keyCredentials has a budget of its own, so only
a revocation and a doctor make such a read), "List federatedIdentityCredentials", "servicePrincipal resource type" (only
a managed identity's has federated credentials).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rotator.clients.directory import passwords
from rotator.clients.graph_requests import READ, SERVICE
from rotator.clients.pipeline import together
from rotator.clients.refusal import Asked
from rotator.clients.services import Services
from rotator.clients.translation import ask
from rotator.errors import Forbidden, NotFound
from rotator.policy import Policy
from rotator.state import Credential, Home, Key, Means, SignIns

CALLED = {Home.APPLICATION: "application", Home.SERVICE_PRINCIPAL: "service principal"}
SELECT = {
    Home.APPLICATION: "id,passwordCredentials,keyCredentials",
    Home.SERVICE_PRINCIPAL: "id,displayName,servicePrincipalType,passwordCredentials,keyCredentials",
}
NO_SIGN_IN = ("Sign", "Encrypt", "Decrypt")
"""Usages of keys not valid for sign-in.

Single sign-on signs tokens with such a certificate of the service principal.
"""
MANAGED = "ManagedIdentity"

Shown = Mapping[str, Any]
"""An object as Graph shows it."""


async def sign_ins(azure: Services, policy: Policy) -> SignIns:
    """Read the ways to sign in as the principal now."""
    home, wanted = (await azure.token.who()).tenant, policy.principal.tenant_id
    tenant = wanted if wanted != home else None
    application, principal = await together(*(_of(azure, policy.principal.app_id, each, tenant) for each in Home))
    found = [each for each in (application, principal) if each]
    return SignIns(
        tuple(sorted(one for each in found for one in each.passwords)),
        tuple(sorted(one for each in found for one in each.keys)),
        (*_absent(application, principal), *(why for each in found for why in each.unread)),
    )


def _absent(application: SignIns | None, principal: SignIns | None) -> Iterator[str]:
    """Yield a sentence for each object not found.

    Another tenant's application may have any number of credentials. Without a service principal, no sign-in is
    possible.
    """
    if application is None and not (principal and any(key.means is Means.IDENTITY for key in principal.keys)):
        yield "no application of that app id was found in the tenant, so its credentials are unknown"
    if principal is None:
        yield (
            "no service principal of that app id was found in the tenant, so its credentials and its roles are unknown"
        )


async def _of(azure: Services, app_id: str, home: Home, tenant: str | None) -> SignIns | None:
    """Read the ways to sign in by one of the two objects; None where the object isn't found."""
    try:
        shown = await azure.graph.holder(home, app_id, SELECT[home], tenant)
    except Forbidden as error:
        return SignIns(unread=(f"the credentials of its {CALLED[home]} may not be read ({error.happened})",))
    if shown is None:
        return None
    asked = Asked(SERVICE, f"read the credentials of the {CALLED[home]} of {app_id}", READ)
    found = SignIns(tuple(await ask(asked, _passwords(shown, home))), tuple(await ask(asked, _keys(shown, home))))
    if home is Home.APPLICATION or _managed(shown):
        return await _federated(azure, app_id, home, tenant, found)
    return found


async def _federated(azure: Services, app_id: str, home: Home, tenant: str | None, found: SignIns) -> SignIns:
    """Return `found` with the object's federated credentials added."""
    try:
        listed = await azure.graph.federated(home, app_id, tenant)
    except (Forbidden, NotFound) as error:
        return replace(
            found, unread=(f"the federated credentials of its {CALLED[home]} can't be read ({error.happened})",)
        )
    asked = Asked(SERVICE, f"read the federated credentials of {app_id}", READ)
    return replace(found, keys=(*found.keys, *await ask(asked, _trusted(listed, home))))


async def _passwords(shown: Shown, home: Home) -> list[Credential]:
    return list(passwords(shown, home))


async def _keys(shown: Shown, home: Home) -> list[Key]:
    """Return certificates valid for sign-in as an object.

    A managed identity counts as one way by itself: its certificate is the platform's, and nobody can remove it.
    """
    if _managed(shown):
        return [Key(Means.IDENTITY, shown["id"], home, name=shown.get("displayName") or "")]
    return [_certificate(each, home) for each in shown["keyCredentials"] if each.get("usage") not in NO_SIGN_IN]


def _managed(shown: Shown) -> bool:
    return shown.get("servicePrincipalType") == MANAGED


def _certificate(shown: Shown, home: Home) -> Key:
    until = datetime.fromisoformat(shown["endDateTime"]).astimezone(UTC) if shown.get("endDateTime") else None
    return Key(Means.CERTIFICATE, shown["keyId"].lower(), home, until, shown.get("displayName") or "")


async def _trusted(listed: Sequence[Shown], home: Home) -> list[Key]:
    return [
        Key(Means.FEDERATED, str(each.get("id") or each["name"]), home, name=f"{each['issuer']} {each['subject']}")
        for each in listed
    ]
