"""Signatures of access tokens: RS256; the key is part of the state, so tokens survive a restart."""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ALGORITHM = "RS256"


@lru_cache(maxsize=1)
def process_key() -> str:
    """A fresh 2048-bit key as PEM, made once in a process because making one costs a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


@lru_cache(maxsize=8)
def _loaded(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("tokens are signed with an RSA key")
    return key


@lru_cache(maxsize=8)
def key_id(pem: str) -> str:
    """The name of a key in ``kid`` and ``x5t``: a digest of its public half."""
    public = _loaded(pem).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _base64(hashlib.sha256(der).digest()[:20])


def sign(claims: dict[str, Any], pem: str) -> str:
    """A signed token."""
    return _signed(json.dumps(claims, separators=(",", ":")), pem)


@lru_cache(maxsize=1024)
def _signed(claims: str, pem: str) -> str:
    """Sign equal claims once.

    Worlds of one seed begin with the same tokens, and a signature costs a millisecond.
    """
    kid = key_id(pem)
    return jwt.encode(json.loads(claims), _loaded(pem), ALGORITHM, {"typ": "JWT", "x5t": kid, "kid": kid})


def verified(token: str, pem: str) -> dict[str, Any]:
    """The claims of a token of ours; times are not judged here.

    Raises jwt.InvalidTokenError (DecodeError where it is no token).
    """
    options = {
        "verify_signature": True,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "verify_iss": False,
    }
    claims: dict[str, Any] = jwt.decode(token, _loaded(pem).public_key(), [ALGORITHM], options=options)  # type: ignore[arg-type]
    return claims


def public_keys(pem: str, issuer: str) -> dict[str, Any]:
    """Return the public key set for the verification of tokens (RFC 7517)."""
    numbers, kid = _loaded(pem).public_key().public_numbers(), key_id(pem)
    key = {
        "kty": "RSA",
        "use": "sig",
        "kid": kid,
        "x5t": kid,
        "n": _number(numbers.n),
        "e": _number(numbers.e),
        "issuer": issuer,
    }
    return {"keys": [key]}


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
