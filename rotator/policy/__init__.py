"""Policies: the wanted state of one principal's pull credential, read from YAML and validated.

Either a policy is right, or it is refused with all mistakes at once. One file in `policies/` is one policy. Policies
hold names of secrets, never secrets. Importing the package loads no Azure SDK.
"""

from rotator.policy.choices import CredentialPart, RegistryProof, Runs, UnseenSubscriptions, WhenEnded
from rotator.policy.cron import longest_gap
from rotator.policy.directory import Gathered, Unserved, gather, load, load_draft
from rotator.policy.draft import NOBODY, Draft
from rotator.policy.effective import EffectiveValue, Sources, effective_values
from rotator.policy.groups import GroupPolicy, Manifest
from rotator.policy.insertion import with_app_id
from rotator.policy.jsonschema import schema
from rotator.policy.model import Discover, Policy, PrincipalPolicy, RegistryPolicy
from rotator.policy.published import KeyVaultPolicy
from rotator.policy.rotation import DeployWindow, ProofPolicy, Rotation
from rotator.policy.source import CredentialSource, KeyVaultSource, Source, StatedSource
from rotator.policy.unfilled import FILL
from rotator.policy.window import next_open, open_at

__all__ = [
    "FILL",
    "NOBODY",
    "CredentialPart",
    "CredentialSource",
    "DeployWindow",
    "Discover",
    "Draft",
    "EffectiveValue",
    "Gathered",
    "GroupPolicy",
    "KeyVaultPolicy",
    "KeyVaultSource",
    "Manifest",
    "Policy",
    "PrincipalPolicy",
    "ProofPolicy",
    "RegistryPolicy",
    "RegistryProof",
    "Rotation",
    "Runs",
    "Source",
    "Sources",
    "StatedSource",
    "UnseenSubscriptions",
    "Unserved",
    "WhenEnded",
    "effective_values",
    "gather",
    "load",
    "load_draft",
    "longest_gap",
    "next_open",
    "open_at",
    "schema",
    "with_app_id",
]
