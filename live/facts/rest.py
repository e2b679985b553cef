"""Checks of container groups over REST (azure-facts B1 to B12)."""

import re
from copy import deepcopy

from live.claims import Probe
from live.scene import Scene, current, events

VERSIONS = ("2023-05-01", "2024-05-01-preview", "2025-09-01")


def b1(scene: Scene, probe: Probe) -> None:
    """Check the API versions of the clients."""
    path = scene.web().path
    for version in VERSIONS:
        answer = scene.azure.arm("GET", path, version=version)
        probe.claim(f"api-version {version} is served", answer, answer.status == 200)


def b2(scene: Scene, probe: Probe) -> None:
    """Check statuses, lists and PATCH."""
    web, azure = scene.web(), scene.azure
    probe.claim("a PUT of a new group answers 201", web.created, web.created.status == 201)
    again = scene.redeployed(web.path, web.body)
    probe.claim("a PUT of a group that exists answers 200", again, again.status == 200)
    scene.running(web.path)
    listed = azure.arm("GET", web.path.rpartition("/")[0])
    mine = [each for each in listed.at("value") or [] if each["name"] == "web"]
    bare = bool(mine) and "instanceView" not in mine[0]["properties"]
    probe.claim("a list shows no instance views", listed, bare)
    patched = azure.arm("PATCH", web.path, {"tags": {**scene.marks.tags, "second": "yes"}})
    azure.arm("PATCH", web.path, {"tags": scene.marks.tags})
    shown = azure.arm("GET", web.path)
    whole = patched.status == 200 and shown.at("tags") == scene.marks.tags
    probe.claim("PATCH sets the tags as a whole", shown, whole)
    restarted = azure.arm("POST", f"{web.path}/restart")
    probe.claim("a restart answers 204 or 202", restarted, restarted.status in (202, 204))
    azure.finished(restarted)
    scene.running(web.path)


def b3(scene: Scene, probe: Probe) -> None:
    """Check the long-running operation of a PUT."""
    web = scene.web()
    pending = web.created.at("properties", "provisioningState") == "Pending"
    probe.claim("a PUT answers with a body that is Pending", web.created, pending)
    headers = [bool(web.created.header(name)) for name in ("Azure-AsyncOperation", "Location", "Retry-After")]
    only = headers == [True, False, False]
    probe.claim("it has Azure-AsyncOperation, and neither Location nor Retry-After", web.created, only)
    named = str(web.operation.at("id")).lower() == web.path.lower() and "name" not in (web.operation.body or {})
    probe.claim("the operation's body has the group's id and no name", web.operation, named)
    messages = [event["message"] for event in events(web.shown) if event.get("name") in ("Pulling", "Pulled")]
    digests = bool(messages) and all("@sha256:" in text for text in messages)
    probe.claim("events name images by digest", web.shown, digests)
    image = web.shown.at("properties", "containers", 0, "properties", "image")
    probe.claim("the group keeps the tag", web.shown, str(image).endswith(":v1"))


def b4(scene: Scene, probe: Probe) -> None:
    """Check that a restart keeps earlier events."""
    web, azure = scene.web(), scene.azure
    before = {event["name"] for event in events(scene.running(web.path))}
    azure.finished(azure.arm("POST", f"{web.path}/restart"))
    after = azure.until(
        lambda: azure.arm("GET", web.path),
        lambda each: any(event["name"] == "Killing" for event in events(each)),
        120,
        5,
    )
    scene.running(web.path)
    probe.claim("no event goes away with a restart", after, before <= {event["name"] for event in events(after)})
    pairs = [(event["name"], event["message"]) for event in events(after)]
    counted = len(pairs) == len(set(pairs)) and all(event.get("count", 0) >= 1 for event in events(after))
    probe.claim("equal events are counted up", after, counted)


def b6(scene: Scene, probe: Probe) -> None:
    """Check a group's states after a failed job."""
    job = scene.job()
    states = (job.at("properties", "instanceView", "state"), job.at("properties", "provisioningState"))
    probe.claim("a job that ends with 2 leaves the group Failed, provisioned", job, states == ("Failed", "Succeeded"))
    ended = (current(job).get("state"), current(job).get("exitCode")) == ("Terminated", 2)
    probe.claim("its container is Terminated with the exit code", job, ended)


def b7(scene: Scene, probe: Probe) -> None:
    """Check the absence of hidden values in a GET."""
    shown = scene.web().shown
    entry = shown.at("properties", "imageRegistryCredentials", 0) or {"password": ""}
    probe.claim("a GET hides the registry's password", shown, not entry.get("password"))
    text = str(shown.body)
    probe.claim("a GET hides secure values", shown, "hush-1" not in text and "'secureValue': '" not in text)
    volume = shown.at("properties", "volumes", 0) or {"secret": {"file": ""}}
    probe.claim("a GET hides the files of a secret volume", shown, not volume.get("secret"))
    _workspace(scene, probe)
    probe.unseen("a GET hides storage keys", "no storage account is made: a volume needs one that exists")


def _workspace(scene: Scene, probe: Probe) -> None:
    """Put a group with logs to an absent workspace; check its hidden key."""
    path, words = scene.container_group("logged"), "a GET hides the workspace key"
    analytics = {"workspaceId": scene.new_id(), "workspaceKey": scene.hidden.secret("aHVzaC0zLWh1c2g=")}
    body = scene.group_body(diagnostics={"logAnalytics": analytics})
    put = scene.azure.arm("PUT", path, body)
    if put.status >= 400:
        probe.unseen(words, put.brief)
        return
    scene.azure.finished(put)
    shown = scene.azure.arm("GET", path)
    found = shown.at("properties", "diagnostics", "logAnalytics") or {"workspaceKey": ""}
    probe.claim(words, shown, "workspaceKey" not in found)
    scene.azure.arm("DELETE", path)


def b8(scene: Scene, probe: Probe) -> None:
    """Check a password that refers to a secret."""
    identity = str(scene.identity().at("id"))
    body = scene.group_body(identity=None)
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    entry = {"server": scene.server, "username": scene.puller().app_id, "passwordReference": "absent"}
    body["properties"] |= {"imageRegistryCredentials": [entry]}
    refused = scene.azure.arm("PUT", scene.container_group("referring"), body, "2025-09-01")
    known = refused.status == 400 and "reference" in f"{refused.code} {refused.message}".lower()
    probe.claim("a password may refer to a secret, which must be named", refused, known)


def b9(scene: Scene, probe: Probe) -> None:
    """Check the errors that cost nothing."""
    web, azure = scene.web(), scene.azure
    _inaccessible(scene, probe)
    body = deepcopy(web.body)
    body["properties"]["osType"] = "Windows"
    fixed = scene.redeployed(web.path, body)
    known = (fixed.status, fixed.code) == (400, "InvalidContainerGroupUpdate")
    probe.claim("a change that needs a new group is 400 InvalidContainerGroupUpdate", fixed, known)
    first, second = (azure.arm("PUT", web.path, web.body) for _ in range(2))
    azure.finished(first)
    scene.running(web.path)
    known = (second.status, second.code) == (409, "ContainerGroupTransitioning")
    probe.claim("a change during another is 409 ContainerGroupTransitioning", second, known)


def _inaccessible(scene: Scene, probe: Probe) -> None:
    wrong, missing = scene.group_body(), scene.group_body()
    wrong["properties"]["imageRegistryCredentials"][0]["password"] = "not-the-password"  # noqa: S105 - it opens nothing
    missing["properties"]["containers"][0]["properties"]["image"] += "-absent"
    for what, body in (("a wrong secret", wrong), ("a missing tag", missing)):
        refused = scene.azure.arm("PUT", scene.container_group("refused"), body)
        known = (refused.status, refused.code) == (400, "InaccessibleImage")
        probe.claim(f"{what} is 400 InaccessibleImage at once", refused, known)


def b12(scene: Scene, probe: Probe) -> None:
    """Check values given as texts."""
    job = scene.job()
    requests = job.at("properties", "containers", 0, "properties", "resources", "requests") or {}
    numbers = (requests.get("cpu"), requests.get("memoryInGB")) == (1, 1.5)
    probe.claim("numbers are taken from texts, and shown as numbers", job, numbers)
    policy = job.at("properties", "restartPolicy")
    probe.claim("words of enumerations are taken in any letter case", job, policy == "Never")
    variables = job.at("properties", "containers", 0, "properties", "environmentVariables")
    probe.claim("a variable's number becomes a text", job, variables == [{"name": "COUNT", "value": "3"}])


def digest(text: str) -> str:
    """Return the digest in an event's words; empty where there is none."""
    found = re.search(r"sha256:[0-9a-f]{64}", text)
    return found[0] if found else ""


CHECKS = {"B1": b1, "B2": b2, "B3": b3, "B4": b4, "B6": b6, "B7": b7, "B8": b8, "B9": b9, "B12": b12}
