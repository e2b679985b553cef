"""Builder of a policy and an observation from the shorthand of `tests/plan/cases/*.yaml`, so that a case reads like a
story.

Instants are written as days from the case's own "today" (``-60d``, ``+2h``); credentials, versions and groups go by
short names.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator import state
from rotator.causes import Cause, Denial, Grounds
from rotator.policy import Policy
from rotator.policy.groups import Manifest
from rotator.resource_id import ArmId, ResourceId
from rotator.state import (
    Access,
    Assignment,
    ContainerGroup,
    Credential,
    Home,
    NewerValue,
    Observed,
    Outcome,
    PasswordLimit,
    Permission,
    Permissions,
    Principal,
    Proof,
    Registry,
    RegistryAccess,
    Role,
    UnlistedSubscription,
    Version,
    marker,
    tags,
)
from rotator.steps import Intent, Known, Postponed

TODAY = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""Noon of a Wednesday."""
SUB = "00000000-0000-0000-0000-000000000001"
APP_ID = "5d3c0a52-0000-4000-8000-000000000000"
TENANT = "72f988bf-0000-0000-0000-000000000001"
LINEAGE = state.lineage(TENANT, APP_ID, "myvault.vault.azure.net", "pull-pwd")
GROUPS = f"/subscriptions/{SUB}/resourceGroups/myResourceGroup/providers/Microsoft.ContainerInstance/containerGroups"
REGISTRY = ResourceId.parse(
    f"/subscriptions/{SUB}/resourceGroups/myResourceGroup/providers/Microsoft.ContainerRegistry/registries/mycontainerregistry"
)
IMAGE = "mycontainerregistry.azurecr.io/aci-helloworld:v1"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
_SPAN = re.compile(r"([+-]?\d+(?:\.\d+)?)(d|h|m|s)")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def span(text: str) -> timedelta:
    """Return the span of ``-3d`` and the like; several parts add up."""
    parts = _SPAN.findall(str(text))
    if not parts:
        raise ValueError(f"{text!r} is not a span like -3d or +2h")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def instant(text: str | None) -> datetime | None:
    """Return an instant from a span since today."""
    return None if text is None else TODAY + span(text)


def key(name: str | None) -> str | None:
    """Return the key id of a credential's short name, recognizable in messages."""
    return None if name is None else f"{name.lower():0<8}-0000-4000-8000-000000000000"


def subnet_id(name: str) -> ResourceId:
    """Return the ARM id of a subnet."""
    return ResourceId.parse(
        f"/subscriptions/{SUB}/resourceGroups/myResourceGroup/providers/Microsoft.Network/virtualNetworks/vnet/subnets/{name}"
    )


def group_id(name: str) -> ResourceId:
    """Return the ARM id of a container group."""
    return ResourceId.parse(f"{GROUPS}/{name}")


def policy(given: Mapping[str, Any] | None) -> Policy:
    """Return the policy of the case: the documentation's names, changed by `given`.

    Its renewals aren't spread unless `given` says so. Groups are a list of names or mappings; groups in `answered` hold
    a password known to another policy, groups in `owned` are declared by another policy.
    """
    given = dict(given or {})
    groups = [_declared({"id": g} if isinstance(g, str) else g) for g in given.pop("groups", [])]
    answered = {group_id(name): ("containers/app/env/PASSWORD",) for name in given.pop("answered", ())}
    owners = {group_id(name): "theirs.yaml" for name in given.pop("owned", ())}
    content = {
        "principal": {"app_id": APP_ID},
        "registries": [{"id": REGISTRY}],
        "key_vault": {"url": "https://myvault.vault.azure.net", "password_secret": "pull-pwd"},
        "container_groups": groups,
        "answered": answered,
        "owners": owners,
        **given,
        "rotation": {"spread": False, **given.get("rotation", {})},
    }
    return Policy.model_validate({"name": "mycontainerregistry", "file": "mycontainerregistry.yaml", **content})


def _declared(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declared group; ``manifest: true`` adds a manifest, and a mapping there replaces some of its
    properties.
    """
    if not given.get("manifest"):
        return {**given, "id": group_id(given["id"])}
    changed = given["manifest"] if isinstance(given["manifest"], Mapping) else {}
    return {
        **given,
        "id": group_id(given["id"]),
        "manifest": Manifest(f"{given['id']}.yaml", _manifest(given["id"], changed)),
    }


def _manifest(name: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    container = {
        "name": "app",
        "properties": {"image": IMAGE, "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}}},
    }
    entry = {
        "server": "mycontainerregistry.azurecr.io",
        "username": "${{ credential:username }}",
        "password": "${{ credential:password }}",
    }
    properties = {
        "osType": "Linux",
        "restartPolicy": "Never",
        "containers": [container],
        "imageRegistryCredentials": [entry],
    }
    return {"name": name, "location": "eastus", "properties": {**properties, **changed}}


def observed(case: Mapping[str, Any]) -> Observed:
    """Return the world of the case."""
    versions = tuple(_version(v) for v in case.get("versions", []))
    return Observed(
        at=TODAY,
        tenant=TENANT,
        lineage=LINEAGE,
        signed_in=APP_ID if case.get("signed_in_as_itself") else "0be7a70a-0000-4000-8000-000000000000",
        principal=replace(Principal(APP_ID, "app-object", "sp-object", "puller"), **case.get("principal", {})),
        credentials=tuple(sorted(_credential(c) for c in case.get("credentials", []))),
        versions=versions,
        latest=case.get("latest") or (max(versions, key=lambda v: v.created).id if versions else None),
        registries=(Registry(REGISTRY, "mycontainerregistry.azurecr.io"),),
        groups=tuple(_group(g) for g in case.get("groups", [])),
        unseen=tuple(UnlistedSubscription(name, "403") for name in case.get("unseen", [])),
        hiding=tuple(group_id(name) for name in case.get("hiding", [])),
        access=Access(case.get("access", "unmarked")),
        access_since=instant(case.get("access_since")),
        versions_complete=case.get("versions_complete", True),
        secret_deleted=case.get("secret_deleted", False),
    )


def known(case: Mapping[str, Any]) -> Known:
    """Return the knowledge of the case's run beside its world; ``refused: [deploy app]`` lists vetoed or failed
    steps.
    """
    given = case.get("permissions") or {}
    unwritable = tuple(group_id(g["id"]) for g in case.get("groups", []) if not g.get("writable", True))
    permissions = _permissions(given, unwritable) if given or unwritable else None
    return Known(
        proof=_proof(case.get("proof")),
        proof_at=TODAY if case.get("proof") else None,
        absent_since=instant(case.get("absent_since")),
        permissions=permissions,
        links=tuple((JOIN, subnet_id(name)) for name in given.get("no_join", ())),
        sources=tuple(tuple(each) for each in given.get("sources", ())),
        unanswered=permissions.unknown if permissions else (),
        newer=tuple(
            NewerValue(group_id(each["group"]), each["path"], bool(each.get("common")))
            for each in case.get("newer", ())
        ),
        access=tuple(_access(each) for each in case.get("access_of_registries", ())),
        refused=frozenset(
            (what, named(what, whom)) for what, whom in (text.split(" ", 1) for text in case.get("refused", []))
        ),
        limited=tuple(
            Postponed(what, named(what, whom), TODAY + span(until), "a limit of Azure's is reached")
            for (what, whom), until in ((text.split(" ", 1), until) for text, until in case.get("limited", {}).items())
        ),
        lost=tuple(case.get("lost", ())),
        unnamed_since=tuple(
            (key(name) or "", TODAY + span(since)) for name, since in case.get("unnamed_since", {}).items()
        ),
        may_be_published=(
            None
            if case.get("may_be_published", ()) is None
            else tuple(key(name) or "" for name in case.get("may_be_published", ()))
        ),
        tried=tuple((name, proof) for name, given in sorted(case.get("tried", {}).items()) if (proof := _proof(given))),
    )


def _access(given: Mapping[str, Any]) -> RegistryAccess:
    """Return the access to registries, from ``roles: {AcrPull: [<action>], unreadable: null}``, each assigned at the
    registry.
    """
    roles = given.get("roles", {})
    data = bool(given.get("abac"))
    registry = Registry(
        REGISTRY,
        given.get("server", "mycontainerregistry.azurecr.io"),
        abac=data,
        anonymous_pull=bool(given.get("anonymous")),
    )
    return RegistryAccess(
        registry,
        tuple(Assignment(REGISTRY, name.upper(), ArmId(f"{REGISTRY}/{name}"), "sp-object") for name in roles),
        tuple(
            Role(name.lower(), name, (Permission(data_actions=tuple(allowed)) if data else Permission(tuple(allowed)),))
            for name, allowed in roles.items()
            if allowed is not None
        ),
        unread=tuple(given.get("unread", ())),
    )


def named(what: str, whom: str) -> str:
    """Return the target of a step from its short name."""
    by = {"deploy": group_id, "restore": group_id, "retire": key}
    return (by[what](whom) or "") if what in by else whom


def proven(known: Known) -> Known:
    """Return the knowledge with a proof of the current value, made now unless present."""
    return known if known.proof else replace(known, proof=Proof(Outcome.PROVEN), proof_at=TODAY)


def _permissions(given: Mapping[str, Any], unwritable: tuple[ResourceId, ...]) -> Permissions:
    limits = tuple(
        PasswordLimit(
            Home(one.get("home", "application")),
            "P",
            span(one["longest"]) if "longest" in one else None,
            exempts=tuple(one.get("exempts", ())),
        )
        for one in given.get("limits", ())
    )
    rest = {name: value for name, value in given.items() if name not in ("no_join", "sources")}
    refused = (*rest.get("groups_refused", ()), *unwritable)
    vault = given.get("vault_refused")
    denial = Denial(vault, Grounds(Cause.ROLE)) if vault else None
    return Permissions(**{**rest, "limits": limits, "groups_refused": refused, "vault_refused": denial})


def _proof(given: str | Mapping[str, Any] | None) -> Proof | None:
    if given is None:
        return None
    if isinstance(given, str):
        return Proof(Outcome(given), signed_in=given in ("proven", "no_pull"))
    digests = tuple(sorted(given.get("digests", {}).items()))
    signed_in = given.get("signed_in", given["outcome"] in ("proven", "no_pull"))
    return Proof(
        Outcome(given["outcome"]),
        given.get("detail", ""),
        tuple(given.get("missing", ())),
        digests=digests,
        signed_in=signed_in,
        around=given.get("around", ""),
        unanswered=tuple(given.get("unanswered", ())),
        grounds=Grounds(Cause(given["cause"])) if "cause" in given else None,
    )


def _credential(given: Mapping[str, Any]) -> Credential:
    owner = given.get("of", "us")
    name = {"us": marker(LINEAGE, f"attempt-{given['key']}"), "another policy": marker("0123456789ab", "x")}.get(
        owner, owner
    )
    start, end = instant(given.get("start", "-60d")), instant(given.get("end", "+30d"))
    assert start and end
    return Credential(
        start, key(given["key"]) or "", end, Home(given.get("home", "application")), name, given.get("hint")
    )


def _version(given: Mapping[str, Any]) -> Version:
    named: dict[str, str] = {}
    if "holds" in given:
        named = {
            state.KEY_ID: key(given["holds"]) or "",
            state.HOME: "application",
            state.ATTEMPT: f"attempt-{given['holds']}",
        }
    for name, tag in (("adopted", state.ADOPTED), ("compromised", state.COMPROMISED)):
        if name in given:
            named[tag] = ",".join(key(k) or "" for k in given[name])
    named |= given.get("tags", {})
    created = instant(given.get("created", "-60d"))
    assert created
    return Version(given["id"], created, given.get("enabled", True), None, None, tags(named))


def _group(given: Mapping[str, Any]) -> ContainerGroup:
    identifier = group_id(given["id"])
    if given.get("state") == "absent":
        return ContainerGroup(identifier, TODAY)
    if given.get("state") == "unreadable":
        # As in the list of its subscription.
        shown = document({**given, "state": "running"}) if "holds" in given else None
        return ContainerGroup(identifier, TODAY, shown, unreadable="403 AuthorizationFailed")
    return ContainerGroup(identifier, TODAY, document(given))


def document(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a container group's GET answer: one container, one registry entry, our tags, and the state of the case."""
    since = instant(given.get("since", "-60d"))
    shown: dict[str, str | None] = {state.KEY_ID: key(given.get("holds")), state.PREVIOUS: key(given.get("previous"))}
    if given.get("holds") and since:
        shown[state.SINCE] = _stamp(since)
    if "failed" in given:
        failed = given["failed"]
        at = instant(failed["at"])
        assert at
        shown[state.FAILED] = f"{key(failed['key'])}/{failed.get('count', 1)}@{_stamp(at)}"
    begun = instant(given.get("started")) or (since or TODAY) + timedelta(seconds=30)
    environment: list[dict[str, str]] = [{"name": name} for name in given.get("secure_env", [])]
    environment += [{"name": name, "value": value} for name, value in given.get("env", {}).items()]
    if given.get("signs_in"):
        environment += [{"name": "AZURE_CLIENT_ID", "value": APP_ID}, {"name": "AZURE_CLIENT_SECRET"}]
    container = {
        "name": "app",
        "properties": {
            **({"command": given["command"]} if "command" in given else {}),
            "image": given.get("image", IMAGE),
            "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
            "environmentVariables": environment,
            "instanceView": _container_view(given.get("state", "running"), begun, given),
        },
    }
    return {
        "id": group_id(given["id"]),
        "name": given["id"],
        "type": "Microsoft.ContainerInstance/containerGroups",
        "location": "eastus",
        "tags": {name: value for name, value in shown.items() if value},
        "properties": {
            "provisioningState": given.get(
                "provisioning", "Pending" if given.get("state") == "starting" else "Succeeded"
            ),
            "osType": "Linux",
            "restartPolicy": given.get("restart", "Always"),
            "containers": [container],
            "imageRegistryCredentials": [
                {
                    "server": given.get("server", "mycontainerregistry.azurecr.io"),
                    "username": given.get("username", APP_ID),
                }
            ],
            "instanceView": {"state": _GROUP_STATES.get(given.get("state", "running"), "Running"), "events": []},
            **({"subnetIds": [{"id": subnet_id(given["subnet"])}]} if "subnet" in given else {}),
            **given.get("properties", {}),
        },
    }


_GROUP_STATES = {
    "finished": "Succeeded",
    "stopped": "Stopped",
    "exited": "Failed",
    **dict.fromkeys(("starting", "pull_failed"), "Pending"),
}


def _container_view(named: str, begun: datetime, given: Mapping[str, Any]) -> dict[str, Any]:
    events = [_event("Pulled", "Successfully pulled image", begun), _event("Started", "Started container", begun)]
    match named:
        case "running":
            return {"currentState": {"state": "Running", "startTime": _stamp(begun)}, "events": events}
        case "finished" | "stopped" | "exited":
            ended = {
                "state": "Terminated",
                "startTime": _stamp(begun),
                "finishTime": _stamp(begun + timedelta(minutes=1)),
                "exitCode": 3 if named == "exited" else 0,
            }
            detail = "Error" if named == "exited" else "Completed"
            return {"currentState": {**ended, "detailStatus": detail}, "events": events}
        case "starting":
            return {"currentState": {"state": "Waiting", "detailStatus": ""}, "events": []}
        case "pull_failed":
            since = instant(given.get("pull_failed_since", "-10m"))
            assert since
            failed = {
                **_event("Failed", 'Failed to pull image "mycontainerregistry.azurecr.io/aci-helloworld:v1"', TODAY),
                "type": "Warning",
            }
            return {
                "currentState": {"state": "Waiting"},
                "events": [{**failed, "count": 6, "firstTimestamp": _stamp(since)}],
            }
        case "crashing":
            crashed = {
                "state": "Terminated",
                "startTime": _stamp(begun),
                "finishTime": _stamp(begun + timedelta(seconds=5)),
                "exitCode": 1,
            }
            waiting = {"state": "Waiting", "detailStatus": "CrashLoopBackOff: Back-off 10s restarting failed"}
            return {"currentState": waiting, "previousState": crashed, "restartCount": 4, "events": events}
    raise ValueError(f"no such state of a container group: {named}")


def _event(name: str, message: str, at: datetime) -> dict[str, Any]:
    return {
        "count": 1,
        "firstTimestamp": _stamp(at),
        "lastTimestamp": _stamp(at),
        "name": name,
        "message": message,
        "type": "Normal",
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def intent(given: Mapping[str, Any] | None) -> Intent:
    """Return the intent of the case; `forced: true` means before now."""
    given = dict(given or {})
    forced = given.pop("forced", False)
    return Intent(force_before=TODAY if forced else None, **given)
