"""Checks of container groups, as documented (azure-facts A1 to A13)."""

from copy import deepcopy

from live.azure import basic
from live.claims import Probe
from live.ground import PULL, ROLES
from live.scene import Scene, Web, current, events

STATES = {"Pending", "Running", "Stopped", "Succeeded", "Failed"}
PROVISIONING = {"Pending", "Creating", "Updating", "Repairing", "Succeeded", "Failed", "NotSpecified"}
LIMIT = "x-ms-ratelimit-remaining-subscription-resource-requests-"


def a1(scene: Scene, probe: Probe) -> None:
    """Check the role that the documentation's scripts assign."""
    puller = scene.puller()
    answer = scene.manifest(basic(puller.app_id, puller.password))
    probe.claim("a principal with AcrPull on the registry reads a manifest", answer, answer.status == 200)


def a2(scene: Scene, probe: Probe) -> None:
    """Check the user name and the password of a pull."""
    puller = scene.puller()
    right = scene.manifest(basic(puller.app_id, puller.password))
    probe.claim("the user name is the application's id, the password its secret", right, right.status == 200)
    wrong = scene.manifest(basic(puller.service_principal, puller.password))
    probe.claim("the object id of the service principal is no user name", wrong, wrong.status == 401)


def a3(scene: Scene, probe: Probe) -> None:
    """Check a group's entry for its registry: host and application id."""
    web = scene.web()
    entry = web.shown.at("properties", "imageRegistryCredentials", 0) or {}
    named = (entry.get("server"), entry.get("username")) == (scene.server, scene.puller().app_id)
    probe.claim("a group names the registry's host and the application's id", web.shown, named)


def a5(scene: Scene, probe: Probe) -> None:
    """Check the effects of a PUT on a running group."""
    web = scene.web()
    before = current(scene.running(web.path)).get("startTime", "")
    scene.redeployed(web.path, web.body)
    after = scene.azure.until(
        lambda: scene.running(web.path), lambda each: current(each).get("startTime", "") > before, 300, 5
    )
    restarted = current(after).get("startTime", "") > before
    probe.claim("a PUT without any change restarts the containers", after, restarted)
    less = deepcopy(web.body)
    del less["properties"]["containers"][0]["properties"]["environmentVariables"]
    scene.redeployed(web.path, less)
    shown = scene.running(web.path)
    left = shown.at("properties", "containers", 0, "properties", "environmentVariables")
    probe.claim("what a PUT leaves out goes back to its default", shown, not left)
    _fixed(scene, probe, web)
    scene.redeployed(web.path, web.body)
    scene.running(web.path)


def _fixed(scene: Scene, probe: Probe, web: Web) -> None:
    for name, value in (("osType", "Windows"), ("restartPolicy", "Never")):
        body = deepcopy(web.body)
        body["properties"][name] = value
        refused = scene.redeployed(web.path, body)
        probe.claim(f"{name} of a running group can't be changed", refused, refused.status == 400)


def a6(scene: Scene, probe: Probe) -> None:
    """Check stop, start and restart."""
    web, azure = scene.web(), scene.azure
    scene.running(web.path)
    azure.finished(azure.arm("POST", f"{web.path}/stop"))
    stopped = azure.until(
        lambda: azure.arm("GET", web.path),
        lambda each: each.at("properties", "instanceView", "state") == "Stopped",
        300,
        5,
    )
    state = stopped.at("properties", "instanceView", "state")
    probe.claim(
        "a stop ends the containers", stopped, (state, current(stopped).get("state")) == ("Stopped", "Terminated")
    )
    azure.finished(azure.arm("POST", f"{web.path}/start"))
    started = scene.running(web.path)
    later = current(started).get("startTime", "") > current(stopped).get("finishTime", "~")
    probe.claim("a start deploys the same configuration anew", started, later)


def a7(scene: Scene, probe: Probe) -> None:
    """Check the default restart policy, and the end of a job under Never."""
    shown = scene.web().shown
    unsaid = shown.at("properties", "restartPolicy") in (None, "Always")
    restarted = current(shown).get("state") == "Running"
    probe.claim("Always is the default, shown or not", shown, unsaid and restarted)
    job = scene.job()
    restarts = job.at("properties", "containers", 0, "properties", "instanceView", "restartCount")
    probe.claim("under Never a container that ended isn't started again", job, not restarts)


def a8(scene: Scene, probe: Probe) -> None:
    """Check that states are known ones."""
    for shown in (scene.web().created, scene.web().shown, scene.job()):
        state = shown.at("properties", "instanceView", "state")
        probe.claim("a group's state is a known one", shown, state is None or state in STATES)
        provisioning = shown.at("properties", "provisioningState")
        probe.claim("a provisioning state is a known one", shown, provisioning in PROVISIONING)
    outer = scene.web().shown.at("properties", "instanceView", "state")
    probe.claim("a group is Running when its container is", scene.web().shown, outer == "Running")


def a9(scene: Scene, probe: Probe) -> None:
    """Check secure variables."""
    web = scene.web()
    variables = web.shown.at("properties", "containers", 0, "properties", "environmentVariables") or []
    hidden = next((each for each in variables if each.get("name") == "TOKEN"), None)
    probe.claim("a secure variable shows its name and no value", web.shown, hidden == {"name": "TOKEN"})
    body = deepcopy(web.body)
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = [{"name": "TOKEN"}]
    refused = scene.redeployed(web.path, body)
    known = (refused.status, refused.code) == (400, "InvalidEnvironmentVariable")
    probe.claim("a bare name is 400 InvalidEnvironmentVariable", refused, known)


def a10(scene: Scene, probe: Probe) -> None:
    """Check the headers with remaining requests, and the quota; uses neither up."""
    created = scene.web().created
    for span in ("pt5m", "pt1h"):
        left = created.header(f"{LIMIT}{span}")
        probe.claim(f"a PUT's answer says in {LIMIT}{span} how many are left", created, left.isdigit())
    location = f"{scene.subscription_path}/providers/Microsoft.ContainerInstance/locations/{scene.location}/usages"
    usages = scene.azure.arm("GET", location)
    limits = {each["name"]["value"]: each["limit"] for each in usages.at("value") or []}
    probe.claim("a region has 100 groups or more", usages, limits.get("ContainerGroups", 0) >= 100)


def a11(scene: Scene, probe: Probe) -> None:
    """Check for ports and for a pull's events in a group."""
    web = scene.web()
    opened = {port["port"] for port in web.shown.at("properties", "ipAddress", "ports") or []}
    probe.claim("a PUT that opens port 22 is accepted", web.shown, 22 in opened)
    names = {event.get("name") for event in events(web.shown)}
    probe.claim("events tell of the pull", web.shown, {"Pulling", "Pulled", "Started"} <= names)
    probe.unseen("a pull that fails later is tried again", "only a removal during a start could show it")
    probe.unseen("maintenance moves a group", "nobody can ask for it")


def a12(scene: Scene, probe: Probe) -> None:
    """Check a pull by a managed identity."""
    identity = scene.identity()
    scene.assigned(scene.registry_path, ROLES[PULL], str(identity.at("properties", "principalId")))
    path, body = scene.container_group("by-identity"), scene.group_body()
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {str(identity.at("id")): {}}}
    body["properties"]["imageRegistryCredentials"] = [{"server": scene.server, "identity": identity.at("id")}]
    put = scene.azure.until(
        lambda: scene.azure.arm("PUT", path, body), lambda each: each.code != "InaccessibleImage", 900, 30
    )
    if not probe.claim("an entry may name an identity of the group", put, put.status == 201):
        return
    scene.azure.finished(put)
    shown = scene.running(path)
    entry = shown.at("properties", "imageRegistryCredentials", 0) or {}
    named = str(entry.get("identity", "")).lower() == str(identity.at("id")).lower()
    probe.claim("it shows the identity and no user name", shown, named and "username" not in entry)


def a13(scene: Scene, probe: Probe) -> None:
    """Check the revisions of a profile."""
    name = scene.container_group("profile").replace("/containerGroups/", "/containerGroupProfiles/")
    body = scene.group_body(ipAddress=None)
    seen = []
    for cpu in (1, 2):
        body["properties"]["containers"][0]["properties"]["resources"]["requests"]["cpu"] = cpu
        seen.append(scene.azure.arm("PUT", name, body))
    made, changed = seen
    probe.claim("a profile is made", made, made.status in (200, 201))
    known = (made.at("properties", "revision"), changed.at("properties", "revision")) == (1, 2)
    probe.claim("each change of a profile is a revision with its number", changed, known)
    shown = scene.azure.arm("GET", name)
    entry = shown.at("properties", "imageRegistryCredentials", 0) or {}
    hidden = entry.get("username") == scene.puller().app_id and "password" not in entry
    probe.claim("a profile has registry credentials of its own, whose password it hides", shown, hidden)
    probe.unseen("NGroups make groups from a profile", "they are not made: they cost more than this run may")


CHECKS = {"A1": a1, "A2": a2, "A3": a3, "A5": a5, "A6": a6, "A7": a7, "A8": a8, "A9": a9, "A10": a10, "A11": a11}
CHECKS |= {"A12": a12, "A13": a13}
