"""Certificates of applications and service principals: ``keyCredentials`` in a body, and the resulting list.

Sources: recordings of azure-cli's test-suite (a thumbprint and the subject are filled in, the key itself is never
listed); the refusals as users of the API report them. An entry without a key keeps the certificate with the same
``keyId``; certificates missing from the list are removed.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from local_azure.graph.objects import Certificate
from local_azure.graph.refusals import bad_value, unknown_property
from local_azure.wire import ServiceError

_KNOWN = {"customKeyIdentifier", "displayName", "endDateTime", "key", "keyId", "startDateTime", "type", "usage"}
_NAMES = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "S",
    NameOID.COUNTRY_NAME: "C",
    NameOID.EMAIL_ADDRESS: "E",
    NameOID.DOMAIN_COMPONENT: "DC",
}
"""Abbreviations of the parts of a name in Windows."""


def asked(entries: Any, held: Iterable[Certificate], now: datetime, of: str) -> list[Certificate]:
    """Return an object's certificates after a body with these entries.

    Raises ServiceError 400; 501 for keys other than certificates for verification.
    """
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise bad_value("keyCredentials", of)
    known = {each.key_id: each for each in held}
    return [_one(entry, known, now, of) for entry in entries]


def replaced(held: Iterable[Certificate], wanted: list[Certificate], now: datetime) -> list[Certificate]:
    """Return the certificates in a body, followed by the removed ones.

    Certificates missing from the body are removed from now on.
    """
    left = [each for each in held if each not in wanted]
    for each in left:
        each.gone_from = each.gone_from or now
    return [*wanted, *left]


def _one(entry: Mapping[str, Any], known: Mapping[str, Certificate], now: datetime, of: str) -> Certificate:
    for name in entry:
        if name not in _KNOWN and not name.startswith("@odata."):
            raise unknown_property(name, "microsoft.graph.keyCredential")
    key_id = str(entry.get("keyId") or "").lower()
    if entry.get("key") is None:
        if key_id not in known:
            raise bad_value("keyCredentials", of)
        return known[key_id]
    if key_id in known and known[key_id].key != _plain(entry["key"]):
        raise ServiceError(
            400, "Request_BadRequest", f"Update to existing credential with KeyId '{key_id}' is not allowed."
        )
    return known.get(key_id) or _made(entry, key_id, now, of)


def _made(entry: Mapping[str, Any], key_id: str, now: datetime, of: str) -> Certificate:
    if entry.get("usage") not in ("Verify", "Sign"):
        message = (
            'The value for the property "usage" in one of your credentials is invalid. Acceptable values are Sign,'
            " Verify."
        )
        raise ServiceError(400, "Request_BadRequest", message)
    if (entry["usage"], entry.get("type")) != ("Verify", "AsymmetricX509Cert"):
        raise ServiceError(
            501,
            "NotImplemented",
            f"The emulator does not implement keys of type {entry.get('type')} to {entry['usage']} of graph.",
        )
    found = certificate(str(entry["key"]))
    if found is None:
        raise bad_value("keyCredentials", of)
    begins, ends = (_instant(entry, name, of) for name in ("startDateTime", "endDateTime"))
    if ends is not None and not now < ends <= found.not_valid_after_utc:
        raise ServiceError(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
    return Certificate(
        key_id=key_id,
        display_name=entry.get("displayName") or subject(found.subject),
        start=begins or found.not_valid_before_utc,
        end=ends or found.not_valid_after_utc,
        key=_plain(entry["key"]),
        identifier=entry.get("customKeyIdentifier") or thumbprint(found).hex().upper(),
        usable_from=now,
    )


def _plain(key: Any) -> str:
    """Return base64 without line breaks; a few clients send line breaks."""
    return "".join(str(key).split())


def certificate(key: str) -> x509.Certificate | None:
    """Return the certificate in a key: DER or PEM, in base64 (recorded of the SDK for Java); None for other content."""
    try:
        content = base64.b64decode(_plain(key), validate=True)
        load = x509.load_pem_x509_certificate if content.startswith(b"-----") else x509.load_der_x509_certificate
        return load(content)
    except (binascii.Error, ValueError):
        return None


def thumbprint(of: x509.Certificate, *, sha256: bool = False) -> bytes:
    """Return a certificate's digest; a client names the signing certificate by the digest."""
    return of.fingerprint(hashes.SHA256() if sha256 else hashes.SHA1())  # noqa: S303  # x5t is SHA-1 (RFC 7515)


def public_key(of: Certificate) -> bytes:
    """The public key as PEM."""
    found = certificate(of.key)
    if found is None:
        raise ValueError(f"{of.key_id} is no certificate")
    return found.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def subject(name: x509.Name) -> str:
    """Return a name in the notation of Windows: the most specific part first."""
    return ", ".join(
        f"{_NAMES.get(part.oid, part.oid.dotted_string)}={_text(part.value)}" for part in reversed(list(name))
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _instant(entry: Mapping[str, Any], name: str, of: str) -> datetime | None:
    if entry.get(name) is None:
        return None
    try:
        at = datetime.fromisoformat(str(entry[name]))
    except ValueError as error:
        raise bad_value(name, of) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
