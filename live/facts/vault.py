"""Checks of Key Vault (azure-facts E1 to E8)."""

import re
from datetime import timedelta
from typing import Any

from live.azure import Answer, Stopped, bearer
from live.claims import Probe
from live.ground import ROLES, SLOW, Principal
from live.scene import Scene

VERSIONS = ("7.0", "7.4", "2026-04-01")


def e1(scene: Scene, probe: Probe) -> None:
    """Check the API versions of the clients."""
    for version in VERSIONS:
        answer = scene.azure.vault("GET", f"{scene.vault()}/secrets", version=version)
        probe.claim(f"api-version {version} is served", answer, answer.status == 200)


def put(scene: Scene, name: str, value: str, **more: Any) -> Answer:
    """Write a secret, with the run's mark unless tags are given."""
    body = {"value": value, "tags": scene.marks.tags, **more}
    return scene.azure.vault("PUT", f"{scene.vault()}/secrets/{name}", body)


def e2(scene: Scene, probe: Probe) -> None:
    """Check versions, lists and pages."""
    azure, vault = scene.azure, scene.vault()
    first, second = (put(scene, "same", "equal") for _ in range(2))
    differ = first.status == second.status == 200 and first.at("id") != second.at("id")
    probe.claim("an equal value makes a version, too", second, differ)
    listed = azure.vault("GET", f"{vault}/secrets")
    bare = all("value" not in each for each in listed.at("value") or [{"value": ""}])
    probe.claim("lists show no values", listed, bare)
    ids = [str(each["id"]) for each in listed.at("value") or []]
    probe.claim("a list's ids have no version", listed, bool(ids) and all(each.count("/") == 4 for each in ids))
    shown: dict[str, Any] = next((each for each in listed.at("value") or [] if each["id"].endswith("/same")), {})
    probe.claim("a list shows the tags of the newest version", listed, shown.get("tags") == scene.marks.tags)
    last = "nextLink" in (listed.body or {}) and listed.at("nextLink") is None
    probe.claim("the last page's link is null", listed, last)
    refused = azure.vault("GET", f"{vault}/secrets?maxresults=26")
    probe.claim("a page has 25 items at most", refused, refused.status == 400)
    newest = azure.vault("GET", f"{vault}/secrets/same/")
    probe.claim(
        "the newest version is read under a path that ends with a slash", newest, newest.at("id") == second.at("id")
    )
    times = newest.at("attributes") or {"created": ""}
    whole = all(isinstance(times.get(name), int) for name in ("created", "updated"))
    probe.claim("times are whole seconds", newest, whole)


def e3(scene: Scene, probe: Probe) -> None:
    """Check the challenge."""
    challenge = scene.azure.send("GET", f"{scene.vault()}/secrets?api-version=7.4")
    probe.claim("a request without a token is 401", challenge, challenge.status == 401)
    words = challenge.header("WWW-Authenticate")
    authority = re.search(r'authorization="([^"]*)"', words)
    probe.claim(
        "it names the authority", challenge, bool(authority) and scene.tenant in str(authority and authority[1])
    )
    resource = f'resource="https://{scene.azure.cloud.vault_suffix}"'
    probe.claim("it names the resource", challenge, resource in words)


def e4(scene: Scene, probe: Probe) -> None:
    """Check the limits of a secret."""
    fits, long = put(scene, "long", "x" * 25600), put(scene, "long", "x" * 25601)
    probe.claim("a value has 25 KB at most", long, (fits.status, long.status) == (200, 400))
    many = put(scene, "tagged", "x", tags={f"t{number}": "x" for number in range(16)})
    probe.claim("a version has 15 tags at most", many, many.status == 400)
    past = int((scene.clock.now() - timedelta(days=1)).timestamp())
    put(scene, "expired", "x", attributes={"exp": past})
    shown = scene.azure.vault("GET", f"{scene.vault()}/secrets/expired")
    probe.claim("a value is given after its end", shown, shown.status == 200)


def e5(scene: Scene, probe: Probe) -> None:
    """Check the errors."""
    azure, vault = scene.azure, scene.vault()
    absent = azure.vault("GET", f"{vault}/secrets/absent")
    known = (absent.status, absent.at("error", "code")) == (404, "SecretNotFound")
    probe.claim("a secret that isn't there is 404 SecretNotFound", absent, known)
    made = put(scene, "disabled", "x", attributes={"enabled": False})
    shown = azure.vault("GET", f"{vault}/secrets/disabled")
    known = (shown.status, shown.at("error", "innererror", "code")) == (403, "SecretDisabled")
    probe.claim("a disabled version is 403 SecretDisabled", shown, made.status == 200 and known)
    stranger = scene.stranger()
    scope = f"https://{azure.cloud.vault_suffix}/.default"
    refused = _as(scene, stranger, scope, f"{vault}/secrets?api-version=7.4")
    known = (refused.status, refused.at("error", "innererror", "code")) == (403, "ForbiddenByRbac")
    probe.claim("a caller without a role is 403 ForbiddenByRbac", refused, known)


def e7(scene: Scene, probe: Probe) -> None:
    """Check soft delete."""
    azure, vault = scene.azure, scene.vault()
    put(scene, "taken", "x")
    deleted = azure.vault("DELETE", f"{vault}/secrets/taken")
    probe.claim("a deletion names where the secret can be had back", deleted, bool(deleted.at("recoveryId")))
    days = deleted.at("attributes", "recoverableDays")
    probe.claim("a deleted secret can be had back for 7 to 90 days", deleted, isinstance(days, int) and 7 <= days <= 90)
    again = azure.until(
        lambda: put(scene, "taken", "y"),
        lambda each: each.at("error", "innererror", "code") != "ObjectIsBeingDeleted",
        120,
        5,
    )
    taken = (again.status, again.at("error", "innererror", "code")) == (409, "ObjectIsDeletedButRecoverable")
    probe.claim("its name is taken: 409 ObjectIsDeletedButRecoverable", again, taken)
    recovered = azure.vault("POST", f"{vault}/deletedsecrets/taken/recover")
    probe.claim("it can be had back", recovered, recovered.status == 200)
    _owner(scene, probe)


def _owner(scene: Scene, probe: Probe) -> None:
    """Read a secret as an owner of the vault without a role for secrets."""
    azure, owner = scene.azure, scene.principal("owner")
    scene.assigned(scene.vault_path, ROLES["Owner"], owner.service_principal)
    scene.bought(owner)
    shown = azure.until(lambda: _as(scene, owner, azure.cloud.arm_scope, _control(scene)), _is_open, SLOW, 10)
    if shown.status != 200:
        raise Stopped("The role of an owner was not heeded within a quarter of an hour", shown)
    scope = f"https://{azure.cloud.vault_suffix}/.default"
    refused = _as(scene, owner, scope, f"{scene.vault_url}/secrets?api-version=7.4")
    known = (refused.status, refused.at("error", "innererror", "code")) == (403, "ForbiddenByRbac")
    probe.claim("an owner reads no secret by that", refused, known)


def _control(scene: Scene) -> str:
    return f"{scene.azure.cloud.arm}{scene.vault_path}?api-version=2026-02-01"


def _as(scene: Scene, principal: Principal, scope: str, url: str) -> Answer:
    token = scene.sign_in(principal.app_id, principal.password, scope)
    return scene.azure.send("GET", url, headers=bearer(str(token.at("access_token"))))


def _is_open(answer: Answer) -> bool:
    return answer.status == 200


def e8(scene: Scene, probe: Probe) -> None:
    """Check the control plane's versions."""
    made = scene.bare_vault()
    by_roles = made.at("properties", "enableRbacAuthorization") is True
    probe.claim("a vault of version 2026-02-01 uses roles unless it says otherwise", made, by_roles)
    older = scene.azure.arm("GET", scene.vault_path, version="2023-07-01")
    if scene.clock.now().date().isoformat() < "2027-02-27":
        probe.claim("until 2027-02-27 older versions are served", older, older.status == 200)
    else:
        probe.claim("from 2027-02-27 on older versions are refused", older, older.status == 400)


CHECKS = {"E1": e1, "E2": e2, "E3": e3, "E4": e4, "E5": e5, "E7": e7, "E8": e8}
