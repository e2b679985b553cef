"""Checks of registries (azure-facts G1 to G10)."""

from live.azure import Answer, Stopped, basic, bearer
from live.claims import Probe
from live.facts.entra import claims
from live.facts.rest import digest
from live.ground import PULL, REPOSITORY, ROLES, SLOW, Principal
from live.scene import Scene, current, events

NULL_USER = "00000000-0000-0000-0000-000000000000"
VERSION = "Docker-Distribution-Api-Version"


def challenge(scene: Scene) -> Answer:
    """Ask the registry for its challenge, without a token."""
    return scene.azure.send("GET", f"https://{scene.server}/v2/")


def g1(scene: Scene, probe: Probe) -> None:
    """Check the challenge."""
    scene.registry()
    asked = challenge(scene)
    words = asked.header("WWW-Authenticate")
    named = f'realm="https://{scene.server}/oauth2/token"' in words and f'service="{scene.server}"' in words
    probe.claim("/v2/ is 401, and names the token endpoint and the service", asked, asked.status == 401 and named)
    repository = scene.manifest({})
    scope = f'scope="repository:{REPOSITORY}:pull"'
    probe.claim("for a repository also the scope", repository, scope in repository.header("WWW-Authenticate"))
    for answer in (asked, repository):
        probe.claim(f"every answer has the header {VERSION}", answer, answer.header(VERSION) == "registry/2.0")


def token(scene: Scene, principal: Principal) -> Answer:
    """Buy a token for a pull with name and secret."""
    query = f"service={scene.server}&scope=repository:{REPOSITORY}:pull"
    answer = scene.azure.send(
        "GET", f"https://{scene.server}/oauth2/token?{query}", headers=basic(principal.app_id, principal.password)
    )
    scene.hidden.secret(str(answer.at("access_token") or ""))
    return answer


def _life(text: object) -> float:
    read = claims(str(text))
    try:
        return float(read["exp"] - read["iat"])
    except (KeyError, TypeError):
        return 0


def g2(scene: Scene, probe: Probe) -> None:
    """Check tokens."""
    puller = scene.puller()
    bought = token(scene, puller)
    minutes = _life(bought.at("access_token")) / 60
    probe.claim("name and secret buy a token of 75 minutes", bought, bought.status == 200 and 70 < minutes < 80)
    opened = scene.manifest(bearer(str(bought.at("access_token"))))
    probe.claim("the token opens the manifest", opened, opened.status == 200)
    direct = scene.manifest(basic(puller.app_id, puller.password))
    probe.claim("Basic is taken straight on the repository", direct, direct.status == 200)
    entra = scene.azure.credential.token(scene.azure.cloud.arm_scope)
    form = {"grant_type": "access_token", "service": scene.server, "tenant": scene.tenant, "access_token": entra}
    exchanged = scene.azure.send("POST", f"https://{scene.server}/oauth2/exchange", form=form)
    refresh = scene.hidden.secret(str(exchanged.at("refresh_token") or ""))
    hours = _life(refresh) / 3600
    probe.claim("an Entra token buys a refresh token of three hours", exchanged, 2.8 < hours < 3.2)
    form = {
        "grant_type": "refresh_token",
        "service": scene.server,
        "scope": f"repository:{REPOSITORY}:pull",
        "refresh_token": refresh,
    }
    access = scene.azure.send("POST", f"https://{scene.server}/oauth2/token", form=form)
    probe.claim("a refresh token buys a token", access, access.status == 200 and bool(access.at("access_token")))


def g3(scene: Scene, probe: Probe) -> None:
    """Check refusals."""
    stranger = scene.stranger()
    scene.registry()
    wrong = scene.manifest(basic(stranger.app_id, "not-the-password"))
    probe.claim("a wrong secret is 401 UNAUTHORIZED", wrong, (wrong.status, wrong.code) == (401, "UNAUTHORIZED"))
    bought = token(scene, stranger)
    probe.claim("a good secret without a role buys a token", bought, bought.status == 200)
    closed = scene.manifest(bearer(str(bought.at("access_token"))))
    probe.claim("which opens nothing", closed, closed.status in (401, 403))


def g4(scene: Scene, probe: Probe) -> None:
    """Check that a group pulls the digest of the tag."""
    puller, web = scene.puller(), scene.web()
    manifest = scene.manifest(basic(puller.app_id, puller.password))
    known = manifest.header("Docker-Content-Digest")
    pulled = {digest(str(event.get("message"))) for event in events(web.shown) if event.get("name") == "Pulling"}
    probe.claim("a group pulls the digest to which the tag leads", web.shown, bool(known) and pulled == {known})


def g5(scene: Scene, probe: Probe) -> None:
    """Check the mode of roles."""
    path = scene.registry_path
    shown = scene.azure.arm("GET", path, version="2025-11-01")
    mode = shown.at("properties", "roleAssignmentMode")
    probe.claim("the mode is LegacyRegistryPermissions by default", shown, mode == "LegacyRegistryPermissions")
    older = scene.azure.arm("GET", path, version="2023-07-01")
    hides = older.status == 200 and "roleAssignmentMode" not in older.at("properties")
    probe.claim("older versions don't show it", older, hides)
    _by_repository(scene, probe)


def _by_repository(scene: Scene, probe: Probe) -> None:
    """Set the other mode, try a pull, and set the mode back."""
    puller, azure, path = scene.puller(), scene.azure, scene.registry_path
    azure.finished(azure.arm("PATCH", path, {"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}))
    refused = azure.until(
        lambda: scene.manifest(basic(puller.app_id, puller.password)),
        scene.lasting(lambda each: each.status in (401, 403)),
        SLOW,
        10,
    )
    azure.finished(azure.arm("PATCH", path, {"properties": {"roleAssignmentMode": "LegacyRegistryPermissions"}}))
    words = "with AbacRepositoryPermissions AcrPull opens no repository"
    probe.claim(words, refused, refused.status in (401, 403))
    if scene.pulled(puller).status != 200:
        raise Stopped("The registry did not go back to its mode within a quarter of an hour", azure.last)


def g6(scene: Scene, probe: Probe) -> None:
    """Check the admin user."""
    path, azure = scene.registry_path, scene.azure
    shown = azure.arm("GET", path)
    probe.claim("the admin user is off by default", shown, shown.at("properties", "adminUserEnabled") is False)
    azure.finished(azure.arm("PATCH", path, {"properties": {"adminUserEnabled": True}}))
    listed = azure.until(lambda: azure.arm("POST", f"{path}/listCredentials"), lambda each: each.status == 200, 120, 5)
    passwords = [scene.hidden.secret(str(each["value"])) for each in listed.at("passwords") or []]
    probe.claim("the admin user has two passwords", listed, len(passwords) == 2)
    if passwords:
        user = basic(str(listed.at("username")), passwords[0])
        pulled = azure.until(lambda: scene.manifest(user), lambda each: each.status == 200, 180, 5)
        probe.claim("the admin user pulls", pulled, pulled.status == 200)
    azure.finished(azure.arm("PATCH", path, {"properties": {"adminUserEnabled": False}}))


def g7(scene: Scene, probe: Probe) -> None:
    """Check the requests of az acr login."""
    scene.registry()
    asked = challenge(scene)
    service = asked.header("WWW-Authenticate").partition('service="')[2].partition('"')[0]
    entra = scene.azure.credential.token(scene.azure.cloud.arm_scope)
    form = {"grant_type": "access_token", "service": service, "tenant": scene.tenant, "access_token": entra}
    exchanged = scene.azure.send("POST", f"https://{scene.server}/oauth2/exchange", form=form)
    scene.hidden.secret(str(exchanged.at("refresh_token") or ""))
    probe.claim("the exchange takes the service that the challenge names", exchanged, exchanged.status == 200)


def g8(scene: Scene, probe: Probe) -> None:
    """Check the effects of a removed password."""
    made, azure = scene.principal("revoked"), scene.azure
    scene.assigned(scene.registry_path, ROLES[PULL], made.service_principal)
    scene.pulled(made)
    path, body = scene.container_group("revoked"), scene.group_body()
    body["properties"]["imageRegistryCredentials"][0] |= {"username": made.app_id, "password": made.password}
    scene.redeployed(path, body)
    scene.running(path)
    azure.graph("POST", f"/applications/{made.application}/removePassword", {"keyId": made.key_id})
    azure.until(
        lambda: scene.sign_in(made.app_id, made.password), scene.lasting(lambda each: each.status == 401, 5), 900, 5
    )
    shown = azure.arm("GET", path)
    probe.claim("running containers run on", shown, current(shown).get("state") == "Running")
    refused = azure.until(
        lambda: azure.arm("PUT", path, body), lambda each: each.code != "ContainerGroupTransitioning", 120, 15
    )
    known = (refused.status, refused.code) == (400, "InaccessibleImage")
    probe.claim("the next deployment is refused: 400 InaccessibleImage", refused, known)


def g10(scene: Scene, probe: Probe) -> None:
    """Check the host of the registry."""
    shown = scene.azure.arm("GET", scene.registry_path)
    probe.claim(
        "the login server is the name and the suffix", shown, shown.at("properties", "loginServer") == scene.server
    )
    probe.unseen("a Premium registry lists more hosts", "the registry is Basic: Premium costs more than this run may")


CHECKS = {"G1": g1, "G2": g2, "G3": g3, "G4": g4, "G5": g5, "G6": g6, "G7": g7, "G8": g8, "G10": g10}
