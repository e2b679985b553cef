"""Why a client's signed assertion gets no token: whom it must come from, and which federated identity credential it would need."""

from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from rotator.emulator.entra import refusals
from rotator.emulator.wire import ServiceError

UNVERIFIED: Any = {"verify_signature": False}


def refusal(assertion: str, client_id: str, federated: Iterable[Mapping[str, Any]]) -> ServiceError:
    """The answer to an assertion that was shown in place of a secret; `federated` are the application's credentials for other issuers."""
    try:
        claims = jwt.decode(assertion, options=UNVERIFIED)
    except jwt.InvalidTokenError:
        return refusals.MALFORMED_ASSERTION.about()
    issuer, subject, audience = (str(claims.get(name)) for name in ("iss", "sub", "aud"))
    if issuer == client_id:
        return refusals.UNKNOWN_KEY.about(app_id=client_id)
    trusted = [each for each in federated if each["issuer"] == issuer]
    if not trusted:
        return refusals.UNKNOWN_ISSUER.about(presented=issuer)
    named = [each for each in trusted if each["subject"] == subject]
    if not named:
        return refusals.UNKNOWN_SUBJECT.about(presented=subject)
    if not any(audience in each["audiences"] for each in named):
        return refusals.UNKNOWN_AUDIENCE.about(presented=audience)
    return ServiceError(501, "NotImplemented", f"The emulator can't fetch the keys of {issuer}, so it can't verify its assertions.")
