"""Certificates of tests, to register in Graph and sign in with."""

import base64
from datetime import timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tenancy import START

SUBJECT = (
    ("C", NameOID.COUNTRY_NAME, "AU"),
    ("S", NameOID.STATE_OR_PROVINCE_NAME, "Some-State"),
    ("CN", NameOID.COMMON_NAME, "pull"),
)


@lru_cache
def signing(number: int) -> tuple[bytes, str, str]:
    """Return a private key with its certificate as PEM, the certificate as Graph takes it, and its thumbprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(oid, value) for _, oid, value in SUBJECT])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
    )
    signed = made.not_valid_before(START).not_valid_after(START + timedelta(days=365)).sign(key, hashes.SHA256())
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()
    return plain + signed.public_bytes(serialization.Encoding.PEM), der, signed.fingerprint(hashes.SHA1()).hex().upper()


def entry(number: int = 1, /, **changes: object) -> dict[str, object]:
    return {"key": signing(number)[1], "type": "AsymmetricX509Cert", "usage": "Verify", **changes}
