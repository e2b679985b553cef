"""Signed assertions of a client in place of a secret: by the client's certificate, or by a trusted other issuer.

An assertion's times are not checked: a client writes the times by the local clock, and the emulated Azure has a
separate clock. Other issuers' keys can't be fetched, so their assertions are refused even if all claims fit.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from local_azure.entra import discovery, refusals
from local_azure.graph import certificates
from local_azure.graph.objects import Application, Certificate
from local_azure.wire import ServiceError

ALGORITHMS = ("RS256", "PS256")
"""Algorithms with which a certificate may sign."""
_UNVERIFIED: Any = {"verify_signature": False}
_SIGNATURE_ONLY: Any = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client's assertion: parsed, not yet verified."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """The issuer's name in the claims."""
        return str(self.claims.get("iss"))

    @property
    def thumbprint(self) -> tuple[str, bool] | None:
        """The digest of the signing certificate, in hex, and True for SHA-256."""
        for name, sha256 in (("x5t#S256", True), ("x5t", False)):
            if self.header.get(name):
                padded = str(self.header[name]) + "=="
                return base64.urlsafe_b64decode(padded).hex().upper(), sha256
        return None


def read(text: str) -> Assertion:
    """Parse an assertion. Raises ServiceError 400 for text other than a JWT."""
    try:
        found = Assertion(text, jwt.get_unverified_header(text), jwt.decode(text, options=_UNVERIFIED))
        _ = found.thumbprint
    except (jwt.InvalidTokenError, ValueError):
        raise refusals.MALFORMED_ASSERTION.about() from None
    return found


def signer(
    shown: Assertion, client_id: str, application: Application | None, known: Iterable[Certificate]
) -> Certificate:
    """Return the signing certificate, out of the known ones. Raises ServiceError 400 or 401."""
    if shown.thumbprint is None:
        raise refusals.NO_THUMBPRINT.about()
    digest, sha256 = shown.thumbprint
    about = {"app_id": client_id, "digest": digest, "object_id": application.id if application else client_id}
    found = next((each for each in known if _digest(each, sha256=sha256) == digest), None)
    if found is None:
        raise refusals.UNKNOWN_KEY.about(reason="The key was not found.", **about)
    try:
        jwt.decode(shown.text, certificates.public_key(found), [*ALGORITHMS], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError:
        reason = "The key was found, but use of the key to verify the signature failed."
        raise refusals.UNKNOWN_KEY.about(reason=reason, **about) from None
    return found


def _digest(of: Certificate, *, sha256: bool) -> str:
    found = certificates.certificate(of.key)
    return certificates.thumbprint(found, sha256=sha256).hex().upper() if found else ""


def addressed(shown: Assertion, client_id: str, is_tenant: Callable[[str], bool]) -> None:
    """Check the assertion's subject (this client) and audience (this tenant's token endpoint).

    Raises ServiceError 401.
    """
    if shown.claims.get("sub") != client_id:
        raise refusals.ANOTHERS_ASSERTION.about()
    audience = urlsplit(str(shown.claims.get("aud")))
    host, path = audience.hostname or "", audience.path.strip("/").split("/")
    if host not in (*discovery.HOSTS, "sts.windows.net") or not is_tenant(path[0]):
        raise refusals.ELSEWHERE.about()


def refusal(shown: Assertion, federated: Iterable[Mapping[str, Any]]) -> ServiceError:
    """The answer to another issuer's assertion; `federated` are the application's credentials for other issuers."""
    subject, audience = (str(shown.claims.get(name)) for name in ("sub", "aud"))
    trusted = [each for each in federated if each["issuer"] == shown.issuer]
    if not trusted:
        return refusals.UNKNOWN_ISSUER.about(presented=shown.issuer)
    named = [each for each in trusted if each["subject"] == subject or each.get("claimsMatchingExpression")]
    if not named:
        return refusals.UNKNOWN_SUBJECT.about(presented=subject)
    if not any(audience in each["audiences"] for each in named):
        return refusals.UNKNOWN_AUDIENCE.about(presented=audience)
    return ServiceError(
        501,
        "NotImplemented",
        f"The emulator can't fetch the keys of {shown.issuer}, so it can't verify its assertions.",
    )
