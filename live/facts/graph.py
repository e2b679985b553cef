"""Checks of Microsoft Graph (azure-facts C1 to C13)."""

from datetime import datetime, timedelta
from urllib.parse import quote

from live.azure import Answer
from live.claims import Probe
from live.scene import Scene

NOBODY = "00000000-0000-4000-8000-000000000000"


def c1(scene: Scene, probe: Probe) -> None:
    """Check addPassword."""
    stranger, graph = scene.stranger(), scene.azure.graph
    added = stranger.added
    probe.claim("addPassword answers 200 with the secret", added, added.status == 200 and bool(added.at("secretText")))
    years = _life(str(added.at("startDateTime")), str(added.at("endDateTime"))) / 365
    probe.claim("the default life is two years", added, 1.98 < years < 2.02)
    hint = added.at("hint")
    probe.claim("hint has the first three characters", added, hint == stranger.password[:3])
    newer = graph("POST", f"/applications(appId='{stranger.app_id}')/addPassword", {})
    probe.claim("the application may be named by appId, and the body be empty", newer, newer.status == 200)
    shown = scene.azure.until(
        lambda: graph("GET", f"/applications/{stranger.application}"),
        lambda each: len(each.at("passwordCredentials") or []) >= 2,
        180,
        5,
    )
    listed = shown.at("passwordCredentials") or [{"secretText": "none"}]
    probe.claim("no later answer shows the secret", shown, all(not each.get("secretText") for each in listed))
    probe.claim("the newest password is listed first", shown, listed[0].get("keyId") == newer.at("keyId"))
    other = graph("POST", f"/servicePrincipals/{stranger.service_principal}/addPassword", {})
    begins = other.status == 200 and other.at("hint") == str(other.at("secretText"))[:3]
    probe.claim("hint has them on a service principal, too", other, begins)
    graph("POST", f"/servicePrincipals/{stranger.service_principal}/removePassword", {"keyId": other.at("keyId")})
    graph("POST", f"/applications/{stranger.application}/removePassword", {"keyId": newer.at("keyId")})


def _life(start: str, end: str) -> float:
    try:
        span = datetime.fromisoformat(end[:19]) - datetime.fromisoformat(start[:19])
    except ValueError:
        return 0
    return span / timedelta(days=1)


def c2(scene: Scene, probe: Probe) -> None:
    """Check removePassword."""
    stranger, graph = scene.stranger(), scene.azure.graph
    path = f"/applications/{stranger.application}"
    added = graph("POST", f"{path}/addPassword", {})
    removed = scene.azure.until(
        lambda: graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")}),
        lambda each: each.status != 400,
        180,
        10,
    )
    probe.claim("removePassword answers 204", removed, removed.status == 204)
    unknown = graph("POST", f"{path}/removePassword", {"keyId": NOBODY})
    said = unknown.status == 400 and "credential" in unknown.message.lower()
    probe.claim("an unknown key id is 400, and says that there is no such credential", unknown, said)


def c3(scene: Scene, probe: Probe) -> None:
    """Check filters without ConsistencyLevel."""
    stranger = scene.stranger()
    for words in (f"appId eq '{stranger.app_id}'", f"servicePrincipalNames/any(c:c eq '{stranger.app_id}')"):
        found = scene.azure.graph("GET", f"/servicePrincipals?$filter={quote(words)}")
        ids = [each["id"] for each in found.at("value") or []]
        field = words.partition(" ")[0].partition("/")[0]
        probe.claim(f"a filter by {field} needs no ConsistencyLevel", found, ids == [stranger.service_principal])
    probe.unseen("OwnedBy changes what the caller owns", "this run signs in as one identity only")


def c4(scene: Scene, probe: Probe) -> None:
    """Check errors that occur without a policy of the tenant."""
    absent = scene.azure.graph("GET", f"/applications/{NOBODY}")
    known = (absent.status, absent.code) == (404, "Request_ResourceNotFound")
    probe.claim("an unknown object is 404 Request_ResourceNotFound", absent, known)
    _locked(scene, probe)
    probe.unseen("a tenant's policy refuses passwords", "this run changes no policy of the tenant")


def _locked(scene: Scene, probe: Probe) -> None:
    """Lock the service principal of an application, and try to add passwords."""
    made, graph = scene.principal("locked"), scene.azure.graph
    lock = {"servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True}}
    locked = graph("PATCH", f"/applications/{made.application}", lock)
    if locked.status >= 400:
        probe.unseen("an instance lock refuses passwords on the service principal only", locked.brief)
        return
    address = f"/servicePrincipals/{made.service_principal}/addPassword"
    refused = scene.azure.until(lambda: graph("POST", address, {}), lambda each: each.status >= 400, 180, 5)
    probe.claim("an instance lock refuses a password on the service principal", refused, refused.status == 400)
    added = graph("POST", f"/applications/{made.application}/addPassword", {})
    probe.claim("and takes one on the application", added, added.status == 200)


def c5(scene: Scene, probe: Probe) -> None:
    """Check the two passwords of an audience with personal accounts."""
    audience = {"signInAudience": "AzureADandPersonalMicrosoftAccount", "api": {"requestedAccessTokenVersion": 2}}
    made = scene.application("personal", **audience)
    path = f"/applications/{made.at('id')}/addPassword"
    first = scene.azure.until(lambda: scene.azure.graph("POST", path, {}), lambda each: each.status != 404, 120, 5)
    second, third = (scene.azure.graph("POST", path, {}) for _ in range(2))
    statuses = [first.status, second.status, third.status]
    probe.claim("with personal accounts a third password is refused", third, statuses == [200, 200, 400])


def c6(scene: Scene, probe: Probe) -> None:
    """Check how soon a new password is shown, and works."""
    stranger, azure = scene.stranger(), scene.azure
    path = f"/applications/{stranger.application}"
    added = azure.graph("POST", f"{path}/addPassword", {})
    began = scene.clock.elapsed()
    shown = azure.until(lambda: azure.graph("GET", path), lambda each: added.at("keyId") in _keys(each), 180, 2)
    visible = scene.clock.elapsed() - began
    probe.claim(
        "a read shows a new password within two minutes", shown, added.at("keyId") in _keys(shown) and visible < 120
    )
    secret = str(added.at("secretText"))
    signed = azure.until(
        lambda: scene.sign_in(stranger.app_id, secret), scene.lasting(lambda each: each.status == 200, 5), 300, 3
    )
    works = scene.clock.elapsed() - began
    probe.claim("a new password works within two minutes", signed, signed.status == 200 and works < 150)
    azure.graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")})
    refused = azure.until(
        lambda: scene.sign_in(stranger.app_id, secret), scene.lasting(lambda each: each.status == 401, 5), 900, 3
    )
    probe.claim("a removed password is refused in the end", refused, refused.status == 401)


def _keys(shown: Answer) -> list[str]:
    listed = shown.at("passwordCredentials") or []
    return [each["keyId"] for each in listed]


def c7(scene: Scene, probe: Probe) -> None:
    """Check a password of the service principal: its sign-in, and the lists that show it."""
    stranger, azure = scene.stranger(), scene.azure
    path = f"/servicePrincipals/{stranger.service_principal}"
    added = azure.graph("POST", f"{path}/addPassword", {})
    secret = str(added.at("secretText"))
    signed = azure.until(
        lambda: scene.sign_in(stranger.app_id, secret), scene.lasting(lambda each: each.status == 200), 300, 3
    )
    probe.claim("a password of the service principal signs in", signed, signed.status == 200)
    own = azure.graph("GET", path)
    probe.claim("the service principal lists it", own, added.at("keyId") in _keys(own))
    other = azure.graph("GET", f"/applications/{stranger.application}")
    probe.claim("the application doesn't list it", other, other.status == 200 and added.at("keyId") not in _keys(other))
    azure.graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")})


def c9(scene: Scene, probe: Probe) -> None:
    """Check statuses, and the costs of calls as far as answers name them."""
    azure = scene.azure
    made = scene.application("short-lived")
    path = f"/applications/{made.at('id')}"
    probe.claim("a creation answers 201", made, made.status == 201)
    changed = azure.until(
        lambda: azure.graph("PATCH", path, {"notes": "changed"}), lambda each: each.status != 404, 120, 5
    )
    probe.claim("a change answers 204", changed, changed.status == 204)
    _units(scene, probe, path)
    deleted = azure.graph("DELETE", path)
    probe.claim("a deletion answers 204", deleted, deleted.status == 204)


def _units(scene: Scene, probe: Probe, path: str) -> None:
    words = quote(f"appId eq '{NOBODY}'")
    costs = ((path, "1", "a read by id"), (f"/applications?$filter={words}", "2", "a filtered list"))
    for address, units, what in costs:
        answer = scene.azure.graph("GET", address)
        said = answer.header("x-ms-resource-unit")
        if not said:
            probe.unseen(f"{what} costs {units}", "the answer has no x-ms-resource-unit")
            continue
        probe.claim(f"{what} costs {units}", answer, said == units)


def c10(scene: Scene, probe: Probe) -> None:
    """Check for the absence of ETags, and for an ignored If-Match."""
    stranger, azure = scene.stranger(), scene.azure
    path, headers = f"/applications/{stranger.application}", {"If-Match": '"never"'}
    for shown in (azure.graph("GET", path), scene.web().shown, azure.vault("GET", f"{scene.vault()}/secrets")):
        probe.claim("no ETag", shown, shown.status == 200 and not shown.header("ETag"))
    added = azure.graph("POST", f"{path}/addPassword", {}, **headers)
    probe.claim("addPassword doesn't heed If-Match", added, added.status == 200)
    azure.graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")})


def c11(scene: Scene, probe: Probe) -> None:
    """Check lists by ids, and batches."""
    azure, stranger = scene.azure, scene.stranger()
    ids = [stranger.app_id, *(f"00000000-0000-4000-8000-{number:012}" for number in range(1, 16))]
    for number, good in ((15, True), (16, False)):
        words = "appId in ({})".format(",".join(f"'{each}'" for each in ids[:number]))
        listed = azure.graph("GET", f"/applications?$filter={quote(words)}&$select=id,passwordCredentials")
        if good:
            shown = listed.at("value", 0, "passwordCredentials")
            probe.claim("a filter takes 15 ids, and lists show passwords", listed, bool(shown))
            continue
        known = (listed.status, listed.code) == (400, "Request_UnsupportedQuery")
        probe.claim("16 ids are 400 Request_UnsupportedQuery", listed, known)
    requests = [{"id": f"{n}", "method": "GET", "url": f"/applications/{stranger.application}"} for n in range(21)]
    batch = azure.graph("POST", "/$batch", {"requests": requests[:20]})
    statuses = [each["status"] for each in batch.at("responses") or []]
    probe.claim("a batch takes 20 requests, each with its own status", batch, statuses == [200] * 20)
    more = azure.graph("POST", "/$batch", {"requests": requests})
    probe.claim("a batch of 21 is 400", more, more.status == 400)


def c12(scene: Scene, probe: Probe) -> None:
    """Check for security attributes in answers: with $select, and without."""
    path = f"/servicePrincipals/{scene.stranger().service_principal}"
    plain = scene.azure.graph("GET", path)
    name = "customSecurityAttributes"
    probe.claim("an object doesn't show its attributes unasked", plain, plain.status == 200 and not plain.at(name))
    chosen = scene.azure.graph("GET", f"{path}?$select=id,{name}")
    empty = chosen.status == 200 and chosen.at(name) is None
    probe.claim("selected, they are null where there are none", chosen, empty or chosen.status == 403)
    probe.unseen("an attribute exempts from a policy", "this run changes no policy of the tenant")


def c13(scene: Scene, probe: Probe) -> None:
    """Check a deactivated application."""
    stranger, azure = scene.stranger(), scene.azure
    path = f"/applications/{stranger.application}"
    off = azure.graph("PATCH", path, {"isDisabled": True})
    if not probe.claim("an application can be deactivated", off, off.status == 204):
        return
    refused = azure.until(
        lambda: scene.sign_in(stranger.app_id, stranger.password),
        scene.lasting(lambda each: each.status != 200),
        300,
        3,
    )
    probe.claim("it gets no new token", refused, refused.status in (400, 401))
    azure.graph("PATCH", path, {"isDisabled": False})
    signed = scene.bought(stranger)
    probe.claim("activated, it gets one again", signed, signed.status == 200)


CHECKS = {"C1": c1, "C2": c2, "C3": c3, "C4": c4, "C5": c5, "C6": c6, "C7": c7, "C9": c9, "C10": c10, "C11": c11}
CHECKS |= {"C12": c12, "C13": c13}
