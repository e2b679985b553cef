"""Every fact about Azure that concerns an operation of the emulator has a test named after it: ``test_<id>_<sentence>`` in this folder.

The ids are those of the project's file of facts, by letter and number: A container groups as documented, B their REST, C Microsoft Graph, D Entra's
token endpoint, E Key Vault's secrets, F role-based access control, G registries, H throttling, J what clients need of an emulator.
"""

import re
from pathlib import Path

import pytest

FACTS = {
    "a4": "pulling with names and passwords out of a vault; no system-assigned identity pulls",
    "a5": "a PUT replaces the whole group, restarts its containers, and can't change some properties",
    "a6": "stop, start and restart",
    "a7": "restart policies",
    "a8": "the states of groups, containers and provisioning",
    "a9": "secure values, secret volumes and file shares",
    "a10": "quotas of groups, cores, logs and calls",
    "a11": "events of a failing pull, reserved ports, groups that the platform kills and moves",
    "a12": "pulling with a managed identity needs no password",
    "a13": "profiles and NGroups",
    "b1": "api-versions that clients send",
    "b2": "operations and status codes of container groups",
    "b3": "long-running operations on the wire",
    "b4": "what a restart shows, and that events are history",
    "b5": "pulls that fail for a while inside a create that succeeds",
    "b6": "run-once groups",
    "b7": "what is never returned",
    "b8": "properties of newer versions",
    "b9": "errors of container groups",
    "b10": "what the SDK makes of operations that fail",
    "b11": "the pace that a group allows",
    "c1": "addPassword",
    "c2": "removePassword",
    "c3": "permissions and ownership",
    "c4": "errors of Graph",
    "c5": "how many passwords fit",
    "c6": "reads that lag, and a token endpoint that flaps",
    "c7": "which object a password lives on",
    "c8": "what re-sent requests leave behind",
    "c9": "what each call costs",
    "c10": "no ETag anywhere",
    "d1": "the token request",
    "d2": "errors of the token endpoint",
    "d3": "discovery, and tokens that look real",
    "d4": "tokens outlive the password",
    "e1": "any api-version",
    "e2": "routes, paging and bundles of secrets",
    "e3": "the challenge",
    "e4": "limits of secrets",
    "e5": "errors of Key Vault",
    "e6": "how many calls a vault takes",
    "e7": "soft delete",
    "f1": "filters of role assignments",
    "f2": "the shape of a role assignment",
    "f3": "deleting one that is gone",
    "f4": "how long a role takes",
    "f5": "the ids of built-in roles",
    "f6": "other roles that also allow a pull",
    "f7": "errors, locks among them",
    "f8": "assignments of a principal that is gone",
    "f9": "how az lists and deletes",
    "g1": "the registry's challenge",
    "g2": "its tokens",
    "g3": "its refusals",
    "g4": "tags become digests when a group is deployed",
    "g5": "two modes of roles",
    "g6": "the admin user and other ways in",
    "g7": "az acr login",
    "g8": "what a revocation stops and what it doesn't",
    "g9": "limits of registries",
    "h": "throttling in numbers",
    "j": "what unmodified clients need",
}
APART = {
    "a1": "scripts of the documentation that az runs: tests/az/principals.sh and chain.sh do",
    "a2": "advice to people; what it says of passwords is c1, c7 and g3",
    "a3": "advice to people; its commands are in tests/az/containers.sh",
    "i": "Azure Functions and Blob leases are not emulated",
}
"""Facts that concern no operation of the emulator, and where they are shown instead."""


def named() -> set[str]:
    """The facts that some test is named after."""
    sources = "\n".join(file.read_text() for file in Path(__file__).parent.glob("test_[a-j]_*.py"))
    return set(re.findall(r"^(?:async )?def test_([a-j]\d*)_\w+", sources, re.MULTILINE))


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_has_a_test(fact: str) -> None:
    assert fact in named(), FACTS[fact]


def test_no_test_is_named_after_a_fact_that_nobody_knows() -> None:
    words = {"a"}  # an article, as in "test_a_group_…"
    assert named() - words <= FACTS.keys() | APART.keys()
    assert not FACTS.keys() & APART.keys()
