"""Checks of role-based access control (azure-facts F1 to F9)."""

from functools import partial
from urllib.parse import quote

from live.azure import Answer, basic, bearer
from live.claims import Probe
from live.ground import ASSIGNMENTS, PULL, ROLES
from live.scene import Scene

BUILT_IN = {
    "AcrPull": ROLES["AcrPull"],
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Reader": ROLES["Reader"],
}
NOBODY = "27e3fe0a-ef36-4000-8000-000000000000"


def listed(scene: Scene, scope: str, words: str) -> Answer:
    """List role assignments by a filter."""
    return scene.azure.arm("GET", f"{scope}/{ASSIGNMENTS}?$filter={quote(words)}")


def f1(scene: Scene, probe: Probe) -> None:
    """Check the filters of role assignments."""
    oid, registry = scene.puller().service_principal, scene.registry_path
    above = listed(scene, scene.group_path, "atScope()")
    scopes = [
        each["properties"]["scope"].lower() for each in above.at("value") or [{"properties": {"scope": registry}}]
    ]
    probe.claim("atScope() shows nothing below", above, not any(each.startswith(registry.lower()) for each in scopes))
    for words in (f"principalId eq '{oid}'", f"assignedTo('{oid}')"):
        found = listed(scene, scene.group_path, words)
        below = [each["properties"]["scope"].lower() for each in found.at("value") or []]
        name = words.partition("(")[0].partition(" ")[0]
        probe.claim(f"{name} shows what is below, too", found, registry.lower() in below)
    _through(scene, probe)


def _through(scene: Scene, probe: Probe) -> None:
    """Assign a role to a group of groups; list the assignments of a member."""
    words, graph = "only assignedTo() shows what comes through groups of groups", scene.azure.graph
    member = scene.stranger().service_principal
    for what in ("inner", "outer"):
        body = {"displayName": scene.marks.called(what), "mailNickname": f"{scene.marks.short}{what}"}
        made = graph("POST", "/groups", {**body, "mailEnabled": False, "securityEnabled": True})
        if made.status >= 400:
            probe.unseen(words, made.brief)
            return
        link = {"@odata.id": f"{scene.azure.cloud.graph}/v1.0/directoryObjects/{member}"}
        member = str(made.at("id"))
        address = f"/groups/{member}/members/$ref"
        scene.azure.until(partial(graph, "POST", address, link), lambda each: each.status != 404, 120, 5)
    given = scene.assigned(scene.registry_path, ROLES["Reader"], member)
    oid = scene.stranger().service_principal
    plain = listed(scene, scene.registry_path, f"principalId eq '{oid}'")
    found = scene.azure.until(
        lambda: listed(scene, scene.registry_path, f"assignedTo('{oid}')"), lambda each: bool(_owners(each)), 300, 10
    )
    probe.claim(words, found, member in _owners(found) and member not in _owners(plain))
    scene.azure.arm("DELETE", str(given.at("id")))


def _owners(found: Answer) -> list[str]:
    return [each["properties"]["principalId"] for each in found.at("value") or []]


def f2(scene: Scene, probe: Probe) -> None:
    """Check the shape of an assignment."""
    stranger = scene.stranger()
    made = scene.assigned(scene.registry_path, ROLES["Reader"], stranger.service_principal)
    probe.claim("a PUT of a new assignment answers 201", made, made.status == 201)
    role = str(made.at("properties", "roleDefinitionId")).lower()
    shaped = role.startswith(f"{scene.subscription_path.lower()}/") and role.endswith(ROLES["Reader"])
    probe.claim("roleDefinitionId is prefixed with the subscription", made, shaped)
    scene.azure.arm("DELETE", str(made.at("id")))


def f3(scene: Scene, probe: Probe) -> None:
    """Check deletions."""
    stranger = scene.stranger()
    made = scene.assigned(scene.registry_path, ROLES["Reader"], stranger.service_principal)
    first, second = (scene.azure.arm("DELETE", str(made.at("id"))) for _ in range(2))
    told = (first.status, first.at("name")) == (200, made.at("name"))
    probe.claim("a DELETE answers 200 with what it deleted", first, told)
    probe.claim("a DELETE of nothing answers 204", second, second.status == 204)


def f4(scene: Scene, probe: Probe) -> None:
    """Check the delay until a new assignment, and its removal, take effect."""
    made = scene.principal("waiting")
    given = scene.assigned(scene.registry_path, ROLES[PULL], made.service_principal)
    began = scene.clock.elapsed()
    pulled = scene.pulled(made)
    within = scene.clock.elapsed() - began < 660
    probe.claim("an assignment is heeded within ten minutes", pulled, pulled.status == 200 and within)
    scene.azure.arm("DELETE", str(given.at("id")))
    refused = scene.azure.until(
        lambda: scene.manifest(basic(made.app_id, made.password)),
        scene.lasting(lambda each: each.status in (401, 403)),
        660,
        10,
    )
    probe.claim("its removal is heeded within ten minutes", refused, refused.status in (401, 403))
    gone = scene.azure.graph("DELETE", f"/servicePrincipals/{made.service_principal}")
    probe.claim("the principal can be deleted", gone, gone.status == 204)


def f5(scene: Scene, probe: Probe) -> None:
    """Check the ids of built-in roles."""
    for name, role in BUILT_IN.items():
        path = f"{scene.subscription_path}/providers/Microsoft.Authorization/roleDefinitions"
        words = quote(f"roleName eq '{name}'")
        found = scene.azure.arm("GET", f"{path}?$filter={words}")
        probe.claim(f"{name} is {role}", found, found.at("value", 0, "name") == role)


def f6(scene: Scene, probe: Probe) -> None:
    """Check that Reader allows a pull, too."""
    made = scene.principal("reader")
    scene.assigned(scene.registry_path, ROLES["Reader"], made.service_principal)
    pulled = scene.pulled(made)
    probe.claim("Reader on the registry allows a pull", pulled, pulled.status == 200)


def f7(scene: Scene, probe: Probe) -> None:
    """Check the errors."""
    azure, stranger = scene.azure, scene.stranger()
    role = f"{scene.subscription_path}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[PULL]}"
    body = {"properties": {"roleDefinitionId": role, "principalId": NOBODY}}
    unknown = azure.arm("PUT", f"{scene.registry_path}/{ASSIGNMENTS}/{scene.new_id()}", body)
    known = (unknown.status, unknown.code) == (400, "PrincipalNotFound")
    probe.claim("an unknown principal is 400 PrincipalNotFound", unknown, known)
    token = str(scene.sign_in(stranger.app_id, stranger.password).at("access_token"))
    url = f"{azure.cloud.arm}{scene.group_path}?api-version=2021-04-01"
    refused = azure.send("GET", url, headers=bearer(token))
    known = (refused.status, refused.code) == (403, "AuthorizationFailed")
    named = "Microsoft.Resources/subscriptions/resourcegroups/read" in refused.message.replace(
        "resourceGroups", "resourcegroups"
    )
    probe.claim("403 AuthorizationFailed names the action that is missing", refused, known and named)
    _locked(scene, probe)


def _locked(scene: Scene, probe: Probe) -> None:
    azure, registry = scene.azure, scene.registry_path
    made = scene.assigned(registry, ROLES["Reader"], scene.stranger().service_principal)
    lock = f"{registry}/providers/Microsoft.Authorization/locks/{scene.marks.short}"
    body = {"properties": {"level": "CanNotDelete", "notes": scene.marks.mark}}
    locked = azure.arm("PUT", lock, body, "2020-05-01")
    refused = azure.until(
        lambda: azure.arm("DELETE", str(made.at("id"))), lambda each: each.status not in (200, 204), 0, 1
    )
    azure.arm("DELETE", lock, version="2020-05-01")
    azure.until(lambda: azure.arm("DELETE", str(made.at("id"))), lambda each: each.status in (200, 204), 120, 5)
    if locked.status not in (200, 201):
        probe.unseen("a lock stops the deletion of assignments", locked.brief)
        return
    known = (refused.status, refused.code) == (409, "ScopeLocked")
    probe.claim("a lock stops the deletion of assignments: 409 ScopeLocked", refused, known)


def f8(scene: Scene, probe: Probe) -> None:
    """Check the assignment of a deleted principal."""
    made = scene.principal("gone")
    given = scene.assigned(scene.registry_path, ROLES[PULL], made.service_principal)
    scene.azure.graph("DELETE", f"/servicePrincipals/{made.service_principal}")
    scene.clock.sleep(60)
    shown = scene.azure.arm("GET", str(given.at("id")))
    left = shown.status == 200 and shown.at("properties", "principalId") == made.service_principal
    probe.claim("a deleted principal leaves its assignments", shown, left)


def f9(scene: Scene, probe: Probe) -> None:
    """Check the requests of az."""
    stranger, azure = scene.stranger(), scene.azure
    words = quote(f"servicePrincipalNames/any(c:c eq '{stranger.app_id}')")
    found = azure.graph("GET", f"/servicePrincipals?$filter={words}")
    probe.claim(
        "an assignee is found by servicePrincipalNames", found, found.at("value", 0, "id") == stranger.service_principal
    )
    body = {
        "ids": [stranger.service_principal],
        "types": ["user", "group", "servicePrincipal", "directoryObjectPartnerReference"],
    }
    named = azure.graph("POST", "/directoryObjects/getByIds", body)
    probe.claim("names are found by getByIds", named, named.at("value", 0, "id") == stranger.service_principal)


CHECKS = {"F1": f1, "F2": f2, "F3": f3, "F4": f4, "F5": f5, "F6": f6, "F7": f7, "F8": f8, "F9": f9}
