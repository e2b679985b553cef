"""Alphabet: the faults that an operation of Azure can meet, as data, and the class of effects of each kind.

`test_alphabet` shows each row for each operation. A new operation without a row of `kinds.WAYS`, or a new kind of the
emulator without a row here, fails the build. A full disk meets no operation of Azure: `test_disk` has one for every
verb that writes a file.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from local_azure.asked import LAGGING as REPLICATED
from local_azure.damage import INSTEAD, SPOILED

from tests.matrices.effects import Effect
from tests.matrices.kinds import (
    AS_EVER,
    DONE,
    GONE,
    HANG,
    MISLEADING,
    NO,
    NOT_SENT,
    STALE,
    UNKNOWN,
    But,
    Kind,
    Meets,
    Way,
    ways,
)

# rows of one sort


def _kind(name: str, faults: Meets | tuple[Meets, ...], *classes: Effect | None, **rest: Any) -> Kind:
    """Return a kind; `classes` are those of a read, of a proof, of a write sent once, and of a write sent again."""
    return Kind(name, dict(zip(Way, classes, strict=True)), faults if isinstance(faults, tuple) else (faults,), **rest)


def _status(status: int, code: str = "ServiceUnavailable", **more: Any) -> Meets:
    return {"kind": "status", "status": status, "code": code, "message": "not this time", **more}


NO_TOKEN: But = (("entra.token@read", NO),)
"""Exception: at the token endpoint a page reads as a refused sign-in, before any other request."""
FOUND: But = (("graph.servicePrincipals.create", AS_EVER),)
"""Exception: after an unusable answer the object is looked for, and found."""
THERE: But = (("graph.*.owners.add", DONE),)
"""Exception: an existing owner is refused again, so that the repetition says nothing of the first request."""
NO_BODY = ("graph.*.removePassword", "graph.*.owners.add", "acr.manifests.head", "acr.challenge")
WITHOUT_BODY = "an answer without a body has nothing that could be cut or come slowly"
REFUSES_ANYHOW = "a challenge is a refusal, which nothing comes after"
AFTER: Meets = {"when": "after"}


def _broken(name: str, fault: Meets, **rest: Any) -> Kind:
    """Return a kind without answer, or with a 5xx, before the effect: a read is repeated, and the outcome of a single
    write unknown.
    """
    return _kind(name, fault, HANG, HANG, UNKNOWN, HANG, **rest)


def _late(name: str, fault: Meets, but: But = (), never: tuple[str, ...] = (), why: str = REFUSES_ANYHOW) -> Kind:
    """Return a kind without answer, or with a 5xx, after the effect."""
    return _kind(name, fault, HANG, HANG, DONE, HANG, but=(*but, *THERE), never=("acr.challenge", *never), why=why)


def _foreign(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> Kind:
    """Return a kind with an answer of another server than the service, before the effect."""
    return _kind(name, fault, read, UNKNOWN, UNKNOWN, UNKNOWN, but=but)


def _foreign_late(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> Kind:
    """Return a kind with a foreign answer after the effect."""
    classes = (read, UNKNOWN, DONE, DONE)
    return _kind(
        f"{name} after", {**fault, **AFTER}, *classes, but=(*but, *FOUND), never=("acr.challenge",), why=REFUSES_ANYHOW
    )


def _both(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> tuple[Kind, Kind]:
    return _foreign(name, fault, but, read), _foreign_late(name, fault, but, read)


def _refused(name: str, fault: Meets, but: But = ()) -> Kind:
    """Return a kind with a refusal in the service's own words."""
    return _kind(name, fault, NO, NO, NO, NO, but=but)


def _misled(status: int, code: str, but: But = ()) -> Kind:
    """Return a kind with a refusal after the effect of a write."""
    fault = _status(status, code, **AFTER)
    classes = {Way.ONCE: MISLEADING, Way.AGAIN: MISLEADING}
    return Kind(f"{status} after", classes, (fault,), but=but, why="a refused read is the same before and after")


def _of(name: str, only: tuple[str, ...], why: str, *classes: Effect | None, **rest: Any) -> Kind:
    """Return a condition of one service; ways without a class have no cells."""
    return Kind(
        name,
        dict(zip(Way, classes, strict=False)),
        ({"kind": name, **rest.pop("fault", {})},),
        only=only,
        why=why,
        **rest,
    )


def _as_ever(name: str, *faults: Meets, **rest: Any) -> Kind:
    return Kind(name, dict.fromkeys(Way, AS_EVER), faults, **rest)


# the table


def _header(header: str) -> Meets:
    return {"kind": "header", "argument": header}


SLOW = _status(429, "TooManyRequests")
OBJECTS = ("graph.applications.get", "graph.servicePrincipals.get")
ROLES = ("keyvault.*", "arm.*", "rbac.*", "aci.*", "acr.token")
OF_GROUPS = ("aci.containerGroups.createOrUpdate",)
WRITES_IN_TIME = ("*.addPassword", "*.removePassword", "keyvault.secrets.*", "rbac.roleAssignments.*", *OF_GROUPS)


def _throttled(name: str, *faults: Meets) -> Kind:
    return _kind(name, faults, HANG, HANG, NO, HANG)


def _throttled_for_long(name: str, *faults: Meets) -> Kind:
    return _kind(name, faults, NO, UNKNOWN, NO, NO)


THROTTLING = (
    _throttled("429", SLOW),
    _throttled("429 with Retry-After", {**SLOW, "retry_after": 7}),
    _throttled("429 with a negative Retry-After", SLOW, _header("Retry-After: -5")),
    _throttled("429 with Retry-After that is no number", SLOW, _header("Retry-After: nan")),
    _throttled("429 until a date", SLOW, _header("Retry-After: Thu, 05 Mar 2026 15:00:08 GMT")),
    _throttled_for_long("429 until next year", SLOW, _header("Retry-After: Fri, 05 Mar 2027 15:00:08 GMT")),
    _throttled_for_long("429 for eleven days", {**SLOW, "retry_after": 1e6}),
    _throttled_for_long("429 for long", {**SLOW, "times": 0}),
)
SHORT: But = (("*@proof", UNKNOWN), ("acr.challenge", UNKNOWN))
"""Exceptions: one try of a proof is short, and so is a look at a registry."""
HEADLESS: But = (("acr.manifests.head", UNKNOWN),)
"""Exception: an answer to HEAD has no body; without the registry's own headers its sender is unknown."""
BREAKING = (
    *(
        _broken(str(status), _status(status, code))
        for status, code in ((500, "InternalServerError"), (503, "ServerBusy"), (408, "RequestTimeout"))
    ),
    *(_late(f"{status} after", _status(status, "ServerBusy", **AFTER)) for status in (500, 503, 408)),
    _foreign("503 for long", _status(503, times=0)),
    _foreign("501", _status(501, "NotImplemented"), NO_TOKEN),
    _broken("time-out", {"kind": "timeout"}, but=SHORT),
    _late("time-out after", {"kind": "timeout", **AFTER}, SHORT),
    _broken("reset", {"kind": "reset"}),
    _foreign("reset for long", {"kind": "reset", "times": 0}),
    _late("lost", {"kind": "lost"}),
    _kind("cut", {"kind": "cut"}, UNKNOWN, UNKNOWN, DONE, DONE, but=FOUND, never=NO_BODY, why=WITHOUT_BODY),
    _late("drip", {"kind": "drip"}, SHORT, NO_BODY, WITHOUT_BODY),
    _late("endless", {"kind": "endless"}, SHORT, NO_BODY, WITHOUT_BODY),
    _broken("bad gzip", {"kind": "gzip"}, but=HEADLESS),
    _late("bad gzip after", {"kind": "gzip", **AFTER}, HEADLESS),
)
EMPTY_LIST = {"kind": "wrong_type", "argument": '{"value": []}'}
LISTS = ("*.list", "*.versions")
PART: But = (
    *(
        ("graph.*.federatedIdentityCredentials.list", UNKNOWN),
        ("arm.tokens.list", UNKNOWN),
        ("rbac.roleDefinitions.get", UNKNOWN),
    ),
    ("aci.containerGroups.get", UNKNOWN),
)
"""Reads whose 401 or 403 is reported as unknown."""
UNSEEN: But = (*PART[:3], ("*.token@proof", UNKNOWN), ("entra.token", NO))
PAGES: tuple[tuple[int, Effect, But], ...] = (
    *((200, UNKNOWN, ()), (302, UNKNOWN, ()), (401, NO, PART), (403, NO, PART)),
    *((404, UNKNOWN, NO_TOKEN), (407, NO, ())),
)
NO_LOG: But = (("aci.containers.listLogs", GONE),)
"""Exception: a container without output may have no log at all."""
NO_ANSWERS: tuple[tuple[str, str, But], ...] = (
    ("a number", "5", ()),
    ("a text", '"x"', ()),
    ("a value that is a number", '{"value": 5}', NO_LOG),
    ("a list of numbers", '{"value": [5]}', NO_LOG),
    ("NaN", "NaN", ()),
    ("a number of 5000 digits", "1" * 5000, ()),
)
NO_TOKENS: tuple[tuple[str, str, But], ...] = (
    ("a token that is a number", '{"access_token": 5, "expires_in": "x"}', ()),
    (
        "a token of nobody",
        '{"access_token": "a.b.c", "expires_in": 3600}',
        (("entra.token@proof", AS_EVER), ("acr.token", NO)),
    ),
)
"""Answers in place of a token. A foreign token passes where it is issued, and is refused where it is used; a proof uses
only the registry's.
"""
TOKENS_ONLY = "only there a token is asked for"
FOREIGN = (
    *_both("HTML with 200", {"kind": "html200"}),
    *_both("wrong type", {"kind": "wrong_type"}),
    *_both("empty", {"kind": "empty"}),
    *_both("deep JSON", {"kind": "deep"}),
    *_both("not text", {"kind": "not_text"}),
    *_both("an empty object", {"kind": "wrong_type", "argument": "{}"}, NO_LOG),
    *_both("null", {"kind": "wrong_type", "argument": "null"}),
    *_both("redirect", {"kind": "redirect"}),
    *_both("redirect 302", {"kind": "redirect", "status": 302}),
    *(
        each
        for status, read, but in PAGES
        for each in _both(f"page {status}", {"kind": "page", "status": status}, but, read)
    ),
    *_both("echo", {"kind": "echo", "status": 400}, read=NO),
    *(_foreign(name, {"kind": "wrong_type", "argument": text}, but) for name, text, but in NO_ANSWERS),
    *(
        _kind(
            name, {"kind": "wrong_type", "argument": text}, *(UNKNOWN,) * 4, but=but, only=("*.token",), why=TOKENS_ONLY
        )
        for name, text, but in NO_TOKENS
    ),
    *(_late(f"page {status} after", {"kind": "page", "status": status, **AFTER}) for status in (429, 500)),
    _kind(
        "an empty list",
        EMPTY_LIST,
        *(GONE, GONE, UNKNOWN, UNKNOWN),
        but=(("rbac.permissions.list", GONE), ("graph.*.owners.list", STALE)),
        only=LISTS,
        never=("graph.servicePrincipals.appManagementPolicies.list",),
        why="only a list can be empty that isn't empty anyhow",
    ),
    _kind(
        "changed",
        {"kind": "changed", "argument": "passwordCredentials=5"},
        *(UNKNOWN,) * 4,
        only=OBJECTS,
        why="one place of one answer stands for all; others are the empty object and the wrong type",
    ),
)
UNREAD: But = (
    ("graph.*.appManagementPolicies.list", GONE),
    ("graph.defaultAppManagementPolicy.get", GONE),
    ("entra.token@proof", UNKNOWN),
)
"""Exceptions: unreadable policies limit nothing, as far as known; the right to read them serves no other request."""
UNPROVEN: But = (("*@proof", UNKNOWN),)
FLAPPING: Meets = {
    "kind": "status",
    "status": 401,
    "code": "AADSTS7000215",
    "message": "Invalid client secret provided.",
}
SAID = (
    _refused("400", _status(400, "BadRequest"), UNPROVEN),
    _refused("401", _status(401, "InvalidAuthenticationToken"), (("acr.challenge", AS_EVER), *UNREAD, *PART)),
    _refused("403", _status(403, "@refused"), (*UNREAD, *PART)),
    _kind("a refused password", FLAPPING, *(NO,) * 4, only=("entra.token",), why="only Entra knows passwords"),
    _refused("409", _status(409, "Conflict"), UNPROVEN),
    _kind("404", _status(404, "@absent"), GONE, GONE, NO, NO, but=UNSEEN),
    _kind(
        "404 of something else",
        _status(404, "@elsewhere"),
        *(UNKNOWN, UNKNOWN, NO, NO),
        but=(("acr.manifests.head", GONE), ("entra.token@read", NO)),
    ),
    _refused("echo of the service", {"kind": "echo", "status": 400, "argument": "message"}, UNPROVEN),
    _misled(403, "@refused"),
    _misled(404, "@absent", (("rbac.roleAssignments.delete", AS_EVER),)),
    _misled(409, "Conflict", FOUND),
    _misled(412, "PreconditionFailed", FOUND),
    _misled(429, "TooManyRequests", (("graph.*.owners.add", MISLEADING), ("*@again", HANG))),
)
VAULTS: But = (("arm.resources.list", AS_EVER),)
"""Exception: of the list of vaults only one vault matters, which existed before."""
WRITTEN = "only what is written can be read as it was before"
READ_LATER = "what it comes to is read afterwards"
CONDITIONS = (
    _of("stale", REPLICATED, WRITTEN, STALE, but=VAULTS),
    _of("flip", REPLICATED, WRITTEN, STALE, but=VAULTS, fault={"times": 0}),
    _of(
        "concurrency",
        ("graph.*@once", "graph.*@again"),
        "only Graph refuses a write that meets another",
        *(NO,) * 3,
        HANG,
    ),
    _of("app_policy", ("graph.*.addPassword",), "only passwords are limited by policies", *(NO,) * 4),
    _of(
        "rbac_lag",
        ROLES,
        "nobody needs a role for the others",
        *(NO,) * 4,
        never=("arm.subscriptions.list", "arm.providers.getAtTenant", "rbac.permissions.list"),
        but=PART,
    ),
    _of("ScopeLocked", ("rbac.roleAssignments.delete",), "only a deletion meets such a lock", *(NO,) * 4),
    *(
        _of(each, OF_GROUPS, "only container groups are deployed", *(NO,) * 4)
        for each in ("transitioning", "quota", "inaccessible", "registry_error")
    ),
    *(_of(each, OF_GROUPS, READ_LATER, *(AS_EVER,) * 4) for each in ("strip_tags", "crash", "failed_lro")),
    _of("failed_pull", OF_GROUPS, READ_LATER, *(AS_EVER,) * 4, fault={"argument": "3"}),
    _as_ever("failed_pull for good", {"kind": "failed_pull", "argument": "0"}, only=OF_GROUPS, why=READ_LATER),
)
TIMES = (
    _as_ever("no Date", _header("Date: ")),
    _as_ever("Date of 1970", {"kind": "date", "argument": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    _as_ever("Date of 9999", {"kind": "date"}),
    _as_ever("Date of tomorrow", {"kind": "date", "argument": "Fri, 06 Mar 2026 21:00:00 GMT"}),
    _as_ever("Date that is none", {"kind": "date", "argument": "yesterday"}),
    _as_ever("a hanging operation", delays={"group_pending": 1e6, "group_start": 1e6}, only=OF_GROUPS, why=READ_LATER),
    Kind(
        "slow secrets",
        {Way.PROOF: NO},
        delays={"secret_valid": 120.0},
        only=("entra.token",),
        why="only Entra takes a new password",
    ),
    Kind(
        "slow reads",
        {Way.READ: STALE},
        delays={"graph_read": 120.0},
        only=OBJECTS,
        why="only Graph's objects are read from replicas",
    ),
)
HERE = (
    Kind(
        "no connection", {Way.READ: HANG, Way.PROOF: HANG, Way.ONCE: NOT_SENT, Way.AGAIN: HANG}, machine="no connection"
    ),
    Kind(
        "too late",
        {Way.ONCE: NOT_SENT, Way.AGAIN: NOT_SENT},
        machine="too late",
        only=WRITES_IN_TIME,
        why="what only makes an object rests on nothing that was read before",
    ),
    _as_ever("a clock that is fast", machine="fast"),
    _as_ever("a clock that is slow", machine="slow"),
)
DAMAGE = (*INSTEAD, *SPOILED)
KINDS: tuple[Kind, ...] = (*THROTTLING, *BREAKING, *FOREIGN, *SAID, *CONDITIONS, *TIMES, *HERE)


def kinds_of(operation: str, way: Way) -> Iterator[Kind]:
    """Yield the kinds that an operation can meet when asked in this way."""
    return (kind for kind in KINDS if kind.meets(operation, way))


READ_USUALLY = ("429 with Retry-After", "503", "500", "reset", "lost", "time-out", "503 for long")
WRITTEN_USUALLY = ("429 with Retry-After", "503", "503 after", "reset", "lost", "time-out", "time-out after")
LAGGING = ("stale", "flip")
"""Kinds with another meaning after every write."""
BESIDES: Mapping[str, str] = {"acr": "403", "entra": "a refused password"}


@cache
def usual(operation: str) -> tuple[Kind, ...]:
    """Return the kinds that the matrices of faults let every call of an operation meet: everyday faults, and the
    conditions of its service.
    """
    writes = not {Way.READ, Way.PROOF} & set(ways(operation))
    names = {*(WRITTEN_USUALLY if writes else READ_USUALLY), BESIDES.get(operation.partition(".")[0], "")}
    return tuple(kind for kind in every(operation) if kind.name in names or kind in CONDITIONS)


@cache
def every(operation: str) -> tuple[Kind, ...]:
    """Return the kinds that an operation can meet in Azure or on the network, in any way of asking."""
    return tuple(kind for kind in KINDS if kind.faults and any(kind.meets(operation, way) for way in ways(operation)))


def damage(operation: str) -> tuple[Kind, ...]:
    """Return the kinds of answers that no service gives."""
    odd = {
        *FOREIGN,
        *TIMES,
        *(kind for kind in (*BREAKING, *THROTTLING) if {str(fault["kind"]) for fault in kind.faults} & set(DAMAGE)),
    }
    return tuple(kind for kind in every(operation) if kind in odd or kind.name == "404 of something else")


def called(name: str) -> Kind:
    """Return the kind of a name."""
    return next(kind for kind in KINDS if kind.name == name)


def classes_of(operation: str, *asked: Way) -> tuple[Effect, ...]:
    """Return the classes that an operation can meet, in the order of `Effect`: for the given ways of asking, or for all
    its ways.
    """
    found = {kind.effect(operation, way) for way in asked or ways(operation) for kind in kinds_of(operation, way)}
    return tuple(effect for effect in Effect if effect in found)
