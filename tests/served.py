"""Azure as a user meets it: served over HTTPS by a separate process, with the ``rotator`` command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_azure.arm.clouds import named
from local_azure.environment import exports
from local_azure.seeded import Identity
from serving import ARM, GRAPH, LOGIN, Json, Served, serving

ROOT = Path(__file__).parent.parent
SOURCES = os.pathsep.join(map(str, (ROOT, ROOT / "emulator")))
"""PYTHONPATH, by which a process finds rotator and the emulator."""
ROTATOR = (sys.executable, "-m", "rotator")
TYPE = "providers/Microsoft.ContainerInstance/containerGroups"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


@dataclass(frozen=True)
class Said:
    """Output and exit code of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Whole output in one line."""
        return " ".join(f"{self.out} {self.err}".split())


@dataclass
class Scene:
    """Principal made by hand, the secret with its password, a container group that holds the password, and a policy
    about them.
    """

    azure: Served
    path: Path
    name: str
    app_id: str = ""
    by_hand: str = field(default="", repr=False)
    key_id: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.azure.seeded.subscription}/resourceGroups/myResourceGroup/{TYPE}/{self.name}"

    @property
    def secret(self) -> str:
        return f"{self.name}-pwd"

    @property
    def policies(self) -> Path:
        return self.path / "policies"

    def environment(self) -> dict[str, str]:
        """Return the environment of rotator: the emulator's exports, and PATH alone of the environment of the tests."""
        home = {
            "HOME": str(self.path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": SOURCES,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return {**home, **exports(self.azure.directory), "ROTATOR_POLICIES": str(self.policies), **self.extra}

    def __call__(self, *arguments: str) -> Said:
        """Run a command to its end; return its output and exit code."""
        done = subprocess.run(
            [*ROTATOR, *arguments], env=self.environment(), cwd=self.path, capture_output=True, text=True, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [*ROTATOR, *arguments],
            env=self.environment(),
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, **changes: Any) -> None:
        """Write the policy, with some parts replaced; JSON is YAML."""
        content = {
            "principal": {"app_id": self.app_id},
            "registries": [{"id": self.azure.seeded.registry_id}],
            "key_vault": {"url": self.azure.seeded.vault_url, "password_secret": self.secret},
            "proof": {"times": 1, "over": "0s"},
            "container_groups": [
                {"id": self.group_id, "secrets": {"containers/app/env/DB_PASSWORD": {"key_vault": f"{self.name}-db"}}}
            ],
            **changes,
        }
        (self.policies / f"{self.name}.yaml").write_text(json.dumps(content, indent=1))

    # state, as a person looks at it

    def shown(self) -> Json:
        """Return the container group."""
        (found,) = [group for group in self.azure.world()["containerGroups"] if group["name"] == self.name]
        return dict(found)

    def keys(self) -> list[str]:
        """Return the key ids of the principal's credentials."""
        (found,) = [each for each in self.azure.world()["principals"] if each["appId"] == self.app_id]
        return [credential["keyId"] for credential in found["credentials"]]

    def versions(self) -> list[Json]:
        """Return the versions of the published secret, oldest first."""
        return list(self.azure.world()["secrets"]["myvault"][self.secret])

    def published(self) -> Any:
        """Return the value of the secret for readers."""
        return self.azure.call("GET", f"{self.azure.seeded.vault_url}/secrets/{self.secret}/?api-version=7.4")["value"]

    def authenticates(self, password: str) -> bool:
        """Tell if Entra accepts the password."""
        return self.azure.sign_in(Identity(self.name, self.app_id, "", password), GRAPH)[0] == 200

    def moves(self) -> bool:
        """Move the group to another host, which pulls with the stored credential; tell if the pull succeeded."""
        return bool(self.azure.control("POST", "/move-host", {"id": self.group_id})["moved"])


def scene(azure: Served, path: Path, *, deployed: bool = True) -> Scene:
    """Make a separate scene as documented."""
    azure.made += 1
    made = Scene(azure, path, f"pull{azure.made}")
    application = azure.call("POST", f"{GRAPH}/v1.0/applications", {"displayName": made.name})
    principal = azure.call("POST", f"{GRAPH}/v1.0/servicePrincipals", {"appId": application["appId"]})
    owner = {"@odata.id": f"{azure.here(GRAPH)}/v1.0/directoryObjects/{azure.seeded.operator.object_id}"}
    azure.call("POST", f"{GRAPH}/v1.0/applications/{application['id']}/owners/$ref", owner)
    _grant(azure, principal["id"])
    password = azure.call(
        "POST",
        f"{GRAPH}/v1.0/applications/{application['id']}/addPassword",
        {"passwordCredential": {"displayName": "rbac"}},
    )
    made.app_id, made.by_hand, made.key_id = application["appId"], password["secretText"], password["keyId"]
    azure.call("PUT", f"{azure.seeded.vault_url}/secrets/{made.secret}?api-version=7.4", {"value": made.by_hand})
    if deployed:
        _deploy(made)
    made.policies.mkdir()
    made.write()
    return made


def _grant(azure: Served, principal: str) -> None:
    seeded = azure.seeded
    role = f"/subscriptions/{seeded.subscription}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    name = f"00000000-0000-0000-0000-{azure.made:012d}"
    url = f"{ARM}{seeded.registry_id}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01"
    azure.call(
        "PUT",
        url,
        {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}},
    )


def _deploy(made: Scene) -> None:
    server = made.azure.seeded.login_server
    requests = {"requests": {"cpu": 1, "memoryInGB": 1.5}}
    secret = {"name": "DB_PASSWORD", "secureValue": f"hidden-value-of-{made.name}"}
    container = {"image": f"{server}/aci-helloworld:v1", "resources": requests, "environmentVariables": [secret]}
    entry = {"server": server, "username": made.app_id, "password": made.by_hand}
    properties = {
        "osType": "Linux",
        "containers": [{"name": "app", "properties": container}],
        "imageRegistryCredentials": [entry],
    }
    made.azure.call(
        "PUT",
        f"{ARM}{made.group_id}?api-version=2023-05-01",
        {"location": named(made.azure.seeded.cloud).region, "properties": properties},
    )
    vault = f"{made.azure.seeded.vault_url}/secrets/{made.name}-db?api-version=7.4"
    made.azure.call("PUT", vault, {"value": f"hidden-value-of-{made.name}"})


__all__ = [
    "ACR_PULL",
    "ARM",
    "GRAPH",
    "LOGIN",
    "ROOT",
    "ROTATOR",
    "SOURCES",
    "TYPE",
    "Json",
    "Said",
    "Scene",
    "Served",
    "scene",
    "serving",
]
