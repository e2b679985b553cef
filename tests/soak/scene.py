"""Scene of a round: one principal with its secret, container groups, policy and bystanders, made by an administrator as
documented.
"""

import base64
import json
import random
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.soak.emulated import ARM, GRAPH, Emulated, Json

NAME = "pull"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ROLE = "00000000-0000-0000-0000-0000000000aa"
HIDDEN = "the hidden value of a container"
JOB = "nightly"
API = "?api-version="

MANIFEST = """\
location: eastus
properties:
  osType: Linux
  restartPolicy: {restart}
  containers:
    - name: {container}
      properties:
        image: {server}/{image}:v1
        resources: {{requests: {{cpu: 1.0, memoryInGB: 1.5}}}}
  imageRegistryCredentials:
    - server: {server}
      username: ${{{{ credential:username }}}}
      password: ${{{{ credential:password }}}}
"""


@dataclass
class Scene:
    """Names and ids of a scene; `by_hand` is the password from before rotator."""

    azure: Emulated
    path: Path
    services: tuple[str, ...] = ("app",)
    job: bool = False
    bare: bool = False
    """True for a scene without resources: the policy is a draft, and `rotator provision` makes the rest."""
    home: str = "application"
    rotation: dict[str, str] = field(default_factory=dict)
    proof: dict[str, object] = field(default_factory=dict)
    app_id: str = ""
    application: str = ""
    principal: str = ""
    by_hand: str = field(default="", repr=False)

    @property
    def vault(self) -> str:
        return str(self.azure.seeded["vault_url"])

    @property
    def server(self) -> str:
        return str(self.azure.seeded["login_server"])

    @property
    def groups(self) -> tuple[str, ...]:
        return (*self.services, *([JOB] if self.job else []))

    def group_id(self, name: str) -> str:
        scope = (
            f"/subscriptions/{self.azure.seeded['subscription']}/resourceGroups/{self.azure.seeded['resource_group']}"
        )
        return f"{scope}/providers/Microsoft.ContainerInstance/containerGroups/{name}"

    def group_url(self, name: str, verb: str = "") -> str:
        return f"https://{ARM}{self.group_id(name)}{verb}{API}2023-05-01"

    def role_url(self) -> str:
        scope = self.azure.seeded["registry_id"]
        return f"https://{ARM}{scope}/providers/Microsoft.Authorization/roleAssignments/{ROLE}{API}2022-04-01"

    def secret_url(self, name: str = f"{NAME}-pwd") -> str:
        return f"{self.vault}/secrets/{name}{API}7.4"

    @property
    def holder(self) -> str:
        """Address of the application in Graph."""
        return f"https://{GRAPH}/v1.0/applications/{self.application}"

    @property
    def named(self) -> bool:
        """Tell if the policy names its application, as every verb but `provision` requires."""
        return "app_id" in (self.policies / f"{NAME}.yaml").read_text()

    @property
    def policies(self) -> Path:
        return self.path / "policies"


def choose(azure: Emulated, path: Path, rng: random.Random) -> Scene:
    """Return a random scene; no resource of it is made yet."""
    quick = azure.timing != "prompt"
    if rng.random() < 0.15:
        return Scene(azure, path, bare=True, proof={"times": 5, "over": "3s"} if quick else {"times": 2, "over": "0s"})
    return Scene(
        azure,
        path,
        services=("app",) if rng.random() < 0.6 else ("app", "web"),
        job=rng.random() < 0.25,
        home="service_principal" if rng.random() < 0.2 else "application",
        rotation=rng.choice(({}, {}, {"overlap": "1h"}, {"validity": "30d", "overlap": "2d"})),
        proof=(
            {"times": 5, "over": "3s"}
            if quick
            else rng.choice(({"times": 1, "over": "0s"}, {"times": 3, "over": "1s"}))
        ),
    )


def make(scene: Scene) -> None:
    """Make the application, its password and role, the secrets, the groups and the policy."""
    azure = scene.azure
    write(scene)
    if scene.bare:
        return
    scene.application, scene.app_id, scene.principal = _application(azure, NAME)
    added = azure.patiently("POST", f"{scene.holder}/addPassword", {"passwordCredential": {"displayName": "by hand"}})
    scene.by_hand = added["secretText"]
    azure.patiently("PATCH", scene.holder, {"keyCredentials": [_certificate()]})
    grant(scene)
    for name, value in ((f"{NAME}-pwd", scene.by_hand), (f"{NAME}-db", HIDDEN)):
        azure.call("PUT", scene.secret_url(name), {"value": value})
    bystander, _, _ = _application(azure, "bystander")
    azure.patiently(
        "POST",
        f"https://{GRAPH}/v1.0/applications/{bystander}/addPassword",
        {"passwordCredential": {"displayName": "theirs"}},
    )
    for name in scene.services:
        deploy(scene, name, scene.by_hand, {})
    write(scene)


def _application(azure: Emulated, name: str) -> tuple[str, str, str]:
    """Make an application with its service principal, both owned by rotator's identity; return object id, app id and
    principal id.
    """
    application = azure.call("POST", f"https://{GRAPH}/v1.0/applications", {"displayName": name})
    principal = azure.patiently("POST", f"https://{GRAPH}/v1.0/servicePrincipals", {"appId": application["appId"]})
    owner = {"@odata.id": f"https://{GRAPH}/v1.0/directoryObjects/{azure.seeded['operator']['object_id']}"}
    for home in (f"applications/{application['id']}", f"servicePrincipals/{principal['id']}"):
        azure.patiently("POST", f"https://{GRAPH}/v1.0/{home}/owners/$ref", owner)
    return application["id"], application["appId"], principal["id"]


def _certificate() -> Json:
    made = trustme.CA(organization_name="somebody")
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(ssl.PEM_cert_to_DER_cert(made.cert_pem.bytes().decode())).decode(),
    }


def grant(scene: Scene) -> None:
    """Assign the role for pulls to the principal."""
    role = f"/subscriptions/{scene.azure.seeded['subscription']}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    properties = {"roleDefinitionId": role, "principalId": scene.principal, "principalType": "ServicePrincipal"}
    scene.azure.patiently("PUT", scene.role_url(), {"properties": properties})


def body(scene: Scene, name: str, password: str, tags: dict[str, str]) -> Json:
    """Return a container group as a person declares it."""
    secret = {"name": "DB_PASSWORD", "secureValue": HIDDEN}
    container = {
        "image": f"{scene.server}/{JOB if name == JOB else 'aci-helloworld'}:v1",
        "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
        "environmentVariables": [] if name == JOB or scene.bare else [secret, {"name": "COLOUR", "value": "blue"}],
    }
    return {
        "location": "eastus",
        "tags": tags,
        "properties": {
            "osType": "Linux",
            "restartPolicy": "Never" if name == JOB else "Always",
            "containers": [{"name": "job" if name == JOB else "app", "properties": container}],
            "imageRegistryCredentials": [{"server": scene.server, "username": scene.app_id, "password": password}],
        },
    }


def deploy(scene: Scene, name: str, password: str, tags: dict[str, str]) -> None:
    """Deploy a group by hand, as `az container create` does."""
    scene.azure.patiently("PUT", scene.group_url(name), body(scene, name, password, tags))


def policy(scene: Scene) -> Json:
    """Return the content of the policy's file; JSON is YAML."""
    hidden = {"containers/app/env/DB_PASSWORD": {"key_vault": f"{NAME}-db"}}
    source: Json = {"manifest": "manifests/app.yaml"} if scene.bare else {"secrets": hidden}
    groups: list[Json] = [{"id": scene.group_id(name), **source} for name in scene.services]
    if scene.job:
        groups.append({"id": scene.group_id(JOB), "manifest": "manifests/nightly.yaml"})
    return {
        "principal": {"display_name": NAME} if scene.bare else {"app_id": scene.app_id, "home": scene.home},
        "registries": [{"id": scene.azure.seeded["registry_id"]}],
        "key_vault": {"url": scene.vault, "password_secret": f"{NAME}-pwd", "username_secret": f"{NAME}-usr"},
        "proof": scene.proof,
        "rotation": scene.rotation,
        "container_groups": groups,
    }


def write(scene: Scene) -> None:
    """Write the policy and its manifests."""
    (scene.policies / "manifests").mkdir(parents=True, exist_ok=True)
    for name, container, image, restart in ((JOB, "job", JOB, "Never"), ("app", "app", "aci-helloworld", "Always")):
        content = MANIFEST.format(server=scene.server, container=container, image=image, restart=restart)
        (scene.policies / "manifests" / f"{name}.yaml").write_text(content)
    (scene.policies / f"{NAME}.yaml").write_text(json.dumps(policy(scene), indent=1))


def found(scene: Scene, dump: Json) -> int:
    """Adopt the application that `rotator provision` has made; return the number of applications with the name."""
    directory = dump["services"]["directory"]
    called = [
        each for each in directory["applications"].values() if each["display_name"] == NAME and not each["deleted"]
    ]
    for each in called[:1]:
        scene.application, scene.app_id = each["id"], each["app_id"]
        scene.principal = next(
            (one["id"] for one in directory["principals"].values() if one["app_id"] == scene.app_id), ""
        )
    return len(called)
