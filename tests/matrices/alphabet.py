"""The alphabet: all that an operation of Azure can meet, as data, and the class of effects that each kind comes to.

`test_alphabet` shows each row for each operation. A new operation without a row of `kinds.WAYS`, or a new kind of the emulator's without one here,
fails the build.
"""

from collections.abc import Iterator
from typing import Any

from tests.matrices.effects import Effect
from tests.matrices.kinds import AS_EVER, DONE, GONE, HANG, MISLEADING, NO, NOT_SENT, STALE, UNKNOWN, But, Kind, Meets, Way, ways

# rows of one sort


def _kind(name: str, faults: Meets | tuple[Meets, ...], *classes: Effect | None, **rest: Any) -> Kind:
    """`classes` are those of a read, of a proof, and of writes that are sent once, or again."""
    return Kind(name, dict(zip(Way, classes, strict=True)), faults if isinstance(faults, tuple) else (faults,), **rest)


def _status(status: int, code: str = "ServiceUnavailable", **more: Any) -> Meets:
    return {"kind": "status", "status": status, "code": code, "message": "not this time", **more}


NO_TOKEN: But = (("entra.token@read", NO),)
"""A page at the token endpoint reads as a refusal to sign in, before anything is asked."""
FOUND: But = (("graph.servicePrincipals.create", AS_EVER),)
"""After an answer that says nothing it is looked for, and found."""
THERE: But = (("graph.*.owners.add", DONE),)
"""Who is an owner already is refused, so that the repetition says nothing of the first request."""
NO_BODY = ("graph.*.removePassword", "graph.*.owners.add", "acr.manifests.head", "acr.challenge")
WITHOUT_BODY = "an answer without a body has nothing that could be cut or come slowly"
REFUSES_ANYHOW = "a challenge is a refusal, which nothing comes after"
AFTER: Meets = {"when": "after"}


def _broken(name: str, fault: Meets, **rest: Any) -> Kind:
    """No answer, or a 5xx, before the effect: read again, and unknown of a write that is sent once."""
    return _kind(name, fault, HANG, HANG, UNKNOWN, HANG, **rest)


def _late(name: str, fault: Meets, but: But = (), never: tuple[str, ...] = (), why: str = REFUSES_ANYHOW) -> Kind:
    """The same after the effect."""
    return _kind(name, fault, HANG, HANG, DONE, HANG, but=(*but, *THERE), never=("acr.challenge", *never), why=why)


def _foreign(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> Kind:
    """An answer of another than the service, before the effect."""
    return _kind(name, fault, read, UNKNOWN, UNKNOWN, UNKNOWN, but=but)


def _foreign_late(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> Kind:
    """The same after the effect."""
    classes = (read, UNKNOWN, DONE, DONE)
    return _kind(f"{name} after", {**fault, **AFTER}, *classes, but=(*but, *FOUND), never=("acr.challenge",), why=REFUSES_ANYHOW)


def _both(name: str, fault: Meets, but: But = (), read: Effect = UNKNOWN) -> tuple[Kind, Kind]:
    return _foreign(name, fault, but, read), _foreign_late(name, fault, but, read)


def _refused(name: str, fault: Meets, but: But = ()) -> Kind:
    """A refusal in the service's own words."""
    return _kind(name, fault, NO, NO, NO, NO, but=but)


def _misled(status: int, code: str, but: But = ()) -> Kind:
    """The same for a write that was done."""
    fault = _status(status, code, **AFTER)
    classes = {Way.ONCE: MISLEADING, Way.AGAIN: MISLEADING}
    return Kind(f"{status} after", classes, (fault,), but=but, why="a refused read is the same before and after")


def _of(name: str, only: tuple[str, ...], why: str, *classes: Effect | None, **rest: Any) -> Kind:
    """A condition of one service; it has no cells for ways that no class is given for."""
    return Kind(name, dict(zip(Way, classes, strict=False)), ({"kind": name, **rest.pop("fault", {})},), only=only, why=why, **rest)


def _as_ever(name: str, *faults: Meets, **rest: Any) -> Kind:
    return Kind(name, dict.fromkeys(Way, AS_EVER), faults, **rest)


# the table


def _header(header: str) -> Meets:
    return {"kind": "header", "argument": header}


SLOW = _status(429, "TooManyRequests")
LAG = (
    *("graph.applications.get", "graph.servicePrincipals.get", "graph.applications.list", "graph.servicePrincipals.list"),
    *("keyvault.secrets.get", "keyvault.secrets.versions", "aci.containerGroups.get", "aci.containerGroups.list", "rbac.roleAssignments.list"),
)
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
"""One try of a proof is short, and so is a look at a registry."""
HEADLESS: But = (("acr.manifests.head", UNKNOWN),)
"""An answer to HEAD has no body, and without the registry's own headers it is nobody's."""
BREAKING = (
    *(_broken(str(status), _status(status, code)) for status, code in ((500, "InternalServerError"), (503, "ServerBusy"), (408, "RequestTimeout"))),
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
    *(("graph.*.federatedIdentityCredentials.list", UNKNOWN), ("arm.tokens.list", UNKNOWN), ("rbac.roleDefinitions.get", UNKNOWN)),
    ("aci.containerGroups.get", UNKNOWN),
)
"""Reads of which a 401 or a 403 is told as not known."""
UNSEEN: But = (*PART[:3], ("*.token@proof", UNKNOWN), ("entra.token", NO))
PAGES: tuple[tuple[int, Effect, But], ...] = (
    *((200, UNKNOWN, ()), (302, UNKNOWN, ()), (401, NO, PART), (403, NO, PART)),
    *((404, UNKNOWN, NO_TOKEN), (407, NO, ())),
)
NO_ITEM: But = (("keyvault.secrets.versions", HANG), ("aci.containers.listLogs", GONE))
FOREIGN = (
    *_both("HTML with 200", {"kind": "html200"}),
    *_both("wrong type", {"kind": "wrong_type"}),
    *_both("empty", {"kind": "empty"}),
    *_both("deep JSON", {"kind": "deep"}),
    *_both("not text", {"kind": "not_text"}),
    *_both("an empty object", {"kind": "wrong_type", "argument": "{}"}, NO_ITEM),
    *_both("null", {"kind": "wrong_type", "argument": "null"}),
    *_both("redirect", {"kind": "redirect"}),
    *_both("redirect 302", {"kind": "redirect", "status": 302}),
    *(each for status, read, but in PAGES for each in _both(f"page {status}", {"kind": "page", "status": status}, but, read)),
    *_both("echo", {"kind": "echo", "status": 400}, read=NO),
    _kind(
        "an empty list",
        EMPTY_LIST,
        *(GONE, GONE, UNKNOWN, UNKNOWN),
        but=(("rbac.permissions.list", GONE),),
        only=LISTS,
        never=("graph.servicePrincipals.appManagementPolicies.list",),
        why="only a list can be empty that isn't empty anyhow",
    ),
    _kind(
        "changed",
        {"kind": "changed", "argument": "passwordCredentials=5"},
        *(UNKNOWN,) * 4,
        only=LAG[:2],
        why="one place of one answer stands for all; others are the empty object and the wrong type",
    ),
)
UNREAD: But = (("graph.*.appManagementPolicies.list", GONE), ("graph.defaultAppManagementPolicy.get", GONE), ("entra.token@proof", UNKNOWN))
"""Policies that may not be read limit nothing, as far as is known: reading them wants a right that nothing else needs."""
UNPROVEN: But = (("*@proof", UNKNOWN),)
SAID = (
    _refused("400", _status(400, "BadRequest"), UNPROVEN),
    _refused("401", _status(401, "InvalidAuthenticationToken"), (("acr.challenge", AS_EVER), *UNREAD, *PART)),
    _refused("403", _status(403, "@refused"), (*UNREAD, *PART)),
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
WRITTEN = "only what is written can be read as it was before"
READ_LATER = "what it comes to is read afterwards"
CONDITIONS = (
    _of("stale", LAG, WRITTEN, STALE),
    _of("flip", LAG, WRITTEN, STALE, fault={"times": 0}),
    _of("concurrency", ("graph.*@once", "graph.*@again"), "only Graph refuses a write that meets another", *(NO,) * 3, HANG),
    _of("app_policy", ("graph.*.addPassword",), "only passwords are limited by policies", *(NO,) * 4),
    _of("rbac_lag", ROLES, "nobody needs a role for the others", *(NO,) * 4, never=("arm.subscriptions.list", "rbac.permissions.list"), but=PART),
    _of("ScopeLocked", ("rbac.roleAssignments.delete",), "only a deletion meets such a lock", *(NO,) * 4),
    *(
        _of(each, OF_GROUPS, "only container groups are deployed", *(NO,) * 4)
        for each in ("transitioning", "quota", "inaccessible", "registry_error")
    ),
    *(_of(each, OF_GROUPS, READ_LATER, *(AS_EVER,) * 4) for each in ("strip_tags", "crash", "failed_lro")),
    _of("failed_pull", OF_GROUPS, READ_LATER, *(AS_EVER,) * 4, fault={"argument": "3"}),
)
TIMES = (
    _as_ever("no Date", _header("Date: ")),
    _as_ever("Date of 1970", {"kind": "date", "argument": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    _as_ever("Date of 9999", {"kind": "date"}),
    _as_ever("Date of tomorrow", {"kind": "date", "argument": "Fri, 06 Mar 2026 21:00:00 GMT"}),
    _as_ever("Date that is none", {"kind": "date", "argument": "yesterday"}),
    _as_ever("a hanging operation", delays={"group_pending": 1e6, "group_start": 1e6}, only=OF_GROUPS, why=READ_LATER),
    Kind("slow secrets", {Way.PROOF: NO}, delays={"secret_valid": 120.0}, only=("entra.token",), why="only Entra takes a new password"),
    Kind("slow reads", {Way.READ: STALE}, delays={"graph_read": 120.0}, only=LAG[:2], why="only Graph's objects are read from replicas"),
)
HERE = (
    Kind("no connection", {Way.READ: HANG, Way.PROOF: HANG, Way.ONCE: NOT_SENT, Way.AGAIN: HANG}, machine="no connection"),
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
KINDS: tuple[Kind, ...] = (*THROTTLING, *BREAKING, *FOREIGN, *SAID, *CONDITIONS, *TIMES, *HERE)


def kinds_of(operation: str, way: Way) -> Iterator[Kind]:
    """All that an operation can meet when it is asked in this way."""
    return (kind for kind in KINDS if kind.meets(operation, way))


def classes_of(operation: str, *asked: Way) -> tuple[Effect, ...]:
    """The classes that an operation can meet, in the order of `Effect`; when it is asked in these ways, or else in any."""
    found = {kind.effect(operation, way) for way in asked or ways(operation) for kind in kinds_of(operation, way)}
    return tuple(effect for effect in Effect if effect in found)
