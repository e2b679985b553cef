"""Files of `az container create --file`, generated from a seed: syntax that YAML and az's model read in special
ways.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SCALARS = (Path(__file__).parent / "scalars.txt").read_text().splitlines()
NULLS = {"~", "null", "Null", "NULL", "!!null x"}
"""Nulls of YAML: a variable with one has no value, and may be hidden."""
UNSENT = ["2024-01-17", "2024-01-17T10:00:00Z", "2024-13-45", "=", ".inf", "-.INF", ".nan", "1.0e+999", "<<"]
UNSENT += ["${HOME}", "a-${ PATH }-b", "12${x}", "http://a/${x}?y", "${{ credential:username }}/${x}", "!env_var x"]
UNSENT += ["!!binary aGk=", "!!set {x, y}", "!!omap [x: 1]", "!x 1", "[<<]", "!!timestamp 2024-01-17"]
"""Values that az can't send: it fails, sends what is no JSON, or takes another from the environment of its shell."""

HEAD = "apiVersion: 2023-05-01\nlocation: westeurope\nname: {name}\n"
REGISTRY = (
    '  imageRegistryCredentials: [{server: mycontainerregistry.azurecr.io, username: "${{ credential:username }}",'
    ' password: "${{ credential:password }}"}]\n'
)
IDENTITY = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup/providers"
IDENTITY += "/Microsoft.ManagedIdentity/userAssignedIdentities/puller"


class Drawn:
    """Choices by a seed alone."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed, 0

    def choice(self, options: Sequence[str]) -> str:
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
        return options[int.from_bytes(digest[:4]) % len(options)]

    def sample(self, options: Sequence[str], size: int) -> list[str]:
        left = list(options)
        return [left.pop(left.index(self.choice(left))) for _ in range(size)]


def group(drawn: Drawn, *, variables: str = "[]", more: str = "", image: str = "web:1") -> str:
    return (
        f"properties:\n  osType: Linux\n  restartPolicy: Always\n{more}  containers:\n  - name: app\n    properties:\n"
        f"      image: mycontainerregistry.azurecr.io/{image}\n"
        "      resources: {requests: {cpu: 1, memoryInGB: 1.5}}\n"
        f"      environmentVariables: {variables}\n"
        f"      command: [run, {', '.join(drawn.sample(SCALARS[:20], 3))}]\n{REGISTRY}"
    )


def extension(settings: str) -> str:
    """Return an extension of the group: only its settings may have any keys."""
    return f"  extensions:\n  - name: proxy\n    properties:\n      extensionType: kube-proxy\n      version: '1.0'\n      protectedSettings: {{}}\n      settings:{settings}\n"


def scalars(drawn: Drawn) -> str:
    """Write plain and quoted scalars as values of variables."""
    chosen = drawn.sample([one for one in SCALARS if one not in NULLS], 8)
    listed = "".join(f"\n      - name: V{index}\n        value: {one}" for index, one in enumerate(chosen))
    return group(drawn, variables=listed)


def tags(drawn: Drawn) -> str:
    """Write names and values of tags, of any type."""
    values = [*drawn.sample(SCALARS, 4), *drawn.sample(["2024-01-17", "2024-01-17 10:00:00", "yes", "1.10"], 2)]
    names = drawn.sample(["team", "on", "1", "1.10", "012", "y", "2024-01-17", "'no'", "~", "true"], 6)
    pairs = "".join(f"  {name}: {value}\n" for name, value in zip(names, values, strict=True))
    return f"tags:\n{pairs}{group(drawn)}"


def merges(drawn: Drawn) -> str:
    """Write merge keys: one mapping, several, of which the first wins, inside others, before and after own keys."""
    first, second = drawn.sample(SCALARS[:40], 2)
    merge = drawn.choice(
        ["<<: *one", "<<: [*one, *two]", "<<: [*two, *one]", "<<: {value: x, more: y}", "!!merge <<: *one"]
    )
    own = drawn.choice(["", f"value: {second}", "name: OTHER"])
    entry = [line for line in drawn.sample([merge, own], 2) if line]
    nested = drawn.choice(["", "<<: *two, "])
    shared = (
        f"x-two: &two {{name: TWO, value: {second}}}\n"
        f"x-one: &one {{{nested}name: ONE, value: {first}, more: {{a: 1}}}}\n"
    )
    return shared + group(drawn, more=extension("".join(f"\n        {line}" for line in entry)))


def repeats(drawn: Drawn) -> str:
    """Write the same key twice, of which the last counts; and keys that Python takes for equal."""
    pairs = drawn.sample(
        ["a: 1", "a: 2", "'a': 3", "1: x", "true: y", "1.0: z", "'1': w", "yes: v", "0x1: u", "~: n"], 5
    )
    twice = drawn.choice(["", "location: northeurope\n", "tags: {a: 1}\ntags: {b: 2}\n"])
    settings = f" {{{', '.join(pairs)}}}"
    return twice + group(drawn, more=f"{extension(settings)}  sku: Dedicated\n  sku: Standard\n")


def anchors(drawn: Drawn) -> str:
    """Write anchors and aliases of scalars, lists and mappings, at the top under a separate name or in place."""
    value = drawn.choice(SCALARS[:40])
    holder = drawn.choice(["x-shared", "x-", ".shared", "definitions"])
    shared = f"{holder}:\n  value: &value {value}\n  all: &all\n  - {{name: A, value: *value}}\n  - &b {{name: B, value: 1}}\n"
    return shared + group(drawn, variables=drawn.choice(["*all", "[*b, {name: C, value: *value}]"]))


def places(drawn: Drawn) -> str:
    """Write extended locations, whose names and values az takes in special forms."""
    name, value = drawn.sample([one for one in SCALARS if one not in NULLS], 2)
    holder = drawn.choice(["extendedLocation", "extended_location", "EXTENDEDLOCATION"])
    pairs = drawn.choice(
        [f"{{name: {name}, type: EdgeZone}}", f"{{Name: {name}, TYPE: {value}}}", f"{{name: {name}, type: ~}}"]
    )
    return f"{holder}: {pairs}\n{group(drawn)}"


def exported(drawn: Drawn) -> str:
    """Write the forms of `az container export`: names of az's model at the top, nulls, and values that Azure alone
    writes.
    """
    assigned = drawn.choice(["user_assigned_identities", "userAssignedIdentities", "UserAssignedIdentities"])
    kind = drawn.choice(["UserAssigned", "SystemAssigned, UserAssigned"])
    item = drawn.choice([": {}", ": {client_id: a, principalId: b}", ":"])
    ids = drawn.choice(["principal_id: x\n  tenantId: y\n  ", "principal_id: null\n  ", ""])
    top = drawn.sample(
        [
            "additional_properties: {}\n",
            "extended_location: null\n",
            "extended_location: {name: edge, type: EdgeZone}\n",
            "type: Microsoft.ContainerInstance/containerGroups\n",
            "id: /subscriptions/x\n",
            "tags: null\n",
            "zones: null\n",
            "managed_by: null\n",
        ],
        4,
    )
    if sum("extended" in one for one in top) > 1:
        top = [one for one in top if "null" not in one]
    identity = f"identity:\n  {ids}type: {kind}\n  {assigned}:\n    ? {IDENTITY}\n    {item}\n"
    return f"{''.join(top)}{identity}{group(drawn)}"


KINDS: tuple[Callable[[Drawn], str], ...] = (scalars, tags, merges, repeats, anchors, places, exported)


def documents(seed: int, each: int, name: str) -> Iterator[tuple[str, str]]:
    """Yield `each` files of every kind, with the name of the kind and the number."""
    for kind in KINDS:
        for number in range(each):
            drawn = Drawn(f"{seed}/{kind.__name__}/{number}")
            yield f"{kind.__name__}-{number}", HEAD.format(name=name) + kind(drawn)
