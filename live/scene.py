"""Scene of the facts: each part is made at its first use, once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from live.azure import Answer, Stopped, basic
from live.ground import PULL, ROLES, SLOW, TAGGED, Ground, Principal, once

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, */*"


@dataclass(frozen=True, slots=True)
class Web:
    """Container group of most facts, with its PUT, its operation and its first GET while running."""

    path: str
    body: dict[str, Any] = field(repr=False)
    created: Answer = field(repr=False)
    operation: Answer = field(repr=False)
    shown: Answer = field(repr=False)


class Scene(Ground):
    """Azure of one run, with container groups."""

    @once
    def puller(self) -> Principal:
        """Principal with the role to pull; pulls succeed with its password."""
        made = self.principal("puller")
        self.assigned(self.registry_path, ROLES[PULL], made.service_principal)
        pulled = self.pulled(made)
        if pulled.status != 200:
            raise Stopped("The image could not be pulled a quarter of an hour after the role was given", pulled)
        return made

    @once
    def stranger(self) -> Principal:
        """Principal without any role; Entra accepts its password."""
        made = self.principal("stranger")
        bought = self.bought(made)
        if bought.status != 200:
            raise Stopped("The password was still refused after a quarter of an hour", bought)
        return made

    def bought(self, principal: Principal) -> Answer:
        """Ask for a token with a password until there is one, three times in a row."""
        return self.azure.until(
            lambda: self.sign_in(principal.app_id, principal.password), self.lasting(lambda a: a.status == 200), SLOW, 5
        )

    def pulled(self, principal: Principal) -> Answer:
        """Ask for a manifest with a password until there is one, three times in a row."""
        return self.azure.until(
            lambda: self.manifest(basic(principal.app_id, principal.password)),
            self.lasting(lambda answer: answer.status == 200),
            SLOW,
            10,
        )

    @staticmethod
    def lasting(good: Callable[[Answer], bool], times: int = 3) -> Callable[[Answer], bool]:
        """Return a condition: `good` held `times` times in a row (azure-facts C6)."""
        row = 0

        def held(answer: Answer) -> bool:
            nonlocal row
            row = row + 1 if good(answer) else 0
            return row >= times

        return held

    def sign_in(self, app_id: str, password: str, scope: str = "", tenant: str = "") -> Answer:
        """Ask Entra for a token once, as a client does (azure-facts D1)."""
        form = {
            "client_id": app_id,
            "client_secret": password,
            "grant_type": "client_credentials",
            "scope": scope or self.azure.cloud.arm_scope,
        }
        url = f"https://{self.azure.cloud.authority}/{tenant or self.tenant}/oauth2/v2.0/token"
        answer = self.azure.send("POST", url, form=form)
        self.hidden.secret(str(answer.at("access_token") or ""))
        return answer

    def manifest(self, headers: dict[str, str], tagged: str = TAGGED) -> Answer:
        """Ask the registry for a manifest once."""
        repository, _, tag = tagged.partition(":")
        url = f"https://{self.server}/v2/{repository}/manifests/{quote(tag)}"
        return self.azure.send("GET", url, headers={"Accept": MANIFEST, **headers})

    def container_group(self, name: str) -> str:
        """Path of a container group of the run."""
        return f"{self.group_path}/providers/Microsoft.ContainerInstance/containerGroups/{name}"

    def group_body(self, **properties: Any) -> dict[str, Any]:
        """Return a container group's body: the image, pulled with the principal's password."""
        puller = self.puller()
        resources = {"requests": {"cpu": 1, "memoryInGB": 1}}
        app = {"name": "app", "properties": {"image": f"{self.server}/{TAGGED}", "resources": resources}}
        entry = {"server": self.server, "username": puller.app_id, "password": puller.password}
        shape = {"osType": "Linux", "containers": [app], "imageRegistryCredentials": [entry]}
        return self.tagged(properties={**shape, **properties})

    @once
    def web(self) -> Web:
        """Container group that serves, with hidden values of each kind that costs nothing."""
        path, body = self.container_group("web"), self.group_body()
        variables = [{"name": "MODE", "value": "first"}, {"name": "TOKEN", "secureValue": self.hidden.secret("hush-1")}]
        ports = [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": 22}]
        app = body["properties"]["containers"][0]["properties"]
        app |= {"environmentVariables": variables, "ports": ports}
        app["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
        body["properties"]["volumes"] = [{"name": "files", "secret": {"file": "aHVzaC0y"}}]
        body["properties"]["ipAddress"] = {"type": "Public", "ports": ports}
        created = self.azure.arm("PUT", path, body)
        operation = self.azure.arm("GET", address) if (address := created.header("Azure-AsyncOperation")) else created
        if (end := self.azure.finished(created)).status >= 400:
            raise Stopped("The container group could not be made", end)
        return Web(path, body, created, operation, self.running(path))

    @once
    def job(self) -> Answer:
        """Run a job that ends with 2, its numbers given as texts (azure-facts B12); return its last GET."""
        path, body = self.container_group("job"), self.group_body(restartPolicy="never")
        app = body["properties"]["containers"][0]["properties"]
        app["command"] = ["/bin/sh", "-c", "exit 2"]
        app["resources"]["requests"] = {"cpu": "1", "memoryInGb": "1.5"}
        app["environmentVariables"] = [{"name": "COUNT", "value": 3}]
        self.put(path, body, "The job")
        ended = self.azure.until(
            lambda: self.azure.arm("GET", path), lambda each: current(each).get("state") == "Terminated", SLOW, 5
        )
        if current(ended).get("state") != "Terminated":
            raise Stopped("The job did not end within a quarter of an hour", ended)
        return ended

    @once
    def identity(self) -> Answer:
        """Make a user-assigned identity; return the answer to its PUT."""
        path = f"{self.group_path}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{self.marks.short}"
        return self.put(path, self.tagged(), "The managed identity")

    def running(self, path: str) -> Answer:
        """Wait until the first container of a group runs; return the group's GET. Raises Stopped."""
        shown = self.azure.until(
            lambda: self.azure.arm("GET", path), lambda each: current(each).get("state") == "Running", SLOW, 5
        )
        if current(shown).get("state") != "Running":
            raise Stopped("The container group did not run after a quarter of an hour", shown)
        return shown

    def redeployed(self, path: str, body: object, version: str = "") -> Answer:
        """PUT a group, again while another change is under way, and follow the operation; return the PUT's answer."""
        answer = self.azure.until(
            lambda: self.azure.arm("PUT", path, body, version),
            lambda each: each.code != "ContainerGroupTransitioning",
            300,
            15,
        )
        self.azure.finished(answer)
        return answer


def current(shown: Answer) -> dict[str, Any]:
    """Return the current state of a group's first container; empty where none is shown."""
    found = shown.at("properties", "containers", 0, "properties", "instanceView", "currentState")
    return found if isinstance(found, dict) else {}


def events(shown: Answer) -> list[dict[str, Any]]:
    """Return the events of a group's first container."""
    found = shown.at("properties", "containers", 0, "properties", "instanceView", "events")
    return list(found or [])
