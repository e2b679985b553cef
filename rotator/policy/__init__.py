"""Policies: what a person wants of one principal's pull credential, read from YAML and found right or refused with every mistake at once.

One file in `policies/` is one policy. Policies hold names of secrets, never secrets. Importing this package loads no Azure SDK.
"""

from rotator.policy.directory import load
from rotator.policy.jsonschema import schema
from rotator.policy.model import (
    CredentialSource,
    DeployWindow,
    Discover,
    GroupPolicy,
    KeyVaultPolicy,
    KeyVaultSource,
    Manifest,
    Policy,
    Principal,
    ProofPolicy,
    RegistryPolicy,
    Rotation,
    Source,
)
from rotator.policy.window import next_open, open_at

__all__ = [
    "CredentialSource",
    "DeployWindow",
    "Discover",
    "GroupPolicy",
    "KeyVaultPolicy",
    "KeyVaultSource",
    "Manifest",
    "Policy",
    "Principal",
    "ProofPolicy",
    "RegistryPolicy",
    "Rotation",
    "Source",
    "load",
    "next_open",
    "open_at",
    "schema",
]
