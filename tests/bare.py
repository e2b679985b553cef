"""World before `rotator provision`: an empty subscription with a registry and a vault, and a policy that only names its
application.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.keyvault.secrets._shared import http_challenge_cache
from local_azure.arm.clouds import PUBLIC, Cloud
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.graph.objects import Application
from local_azure.seed import fill
from local_azure.services import build
from local_azure.virtual import VirtualLoop

from rotator.cli.commands.provision import save
from rotator.engine import Wanted, provision
from rotator.policy import Policy, load, load_draft
from rotator.results import Result
from tests import stage
from tests.stage import SECRET, SERVER, Stage

NAME, CALLED, USER = "mycontainerregistry", "mycontainerregistry-pull", "mycontainerregistry-pull-usr"
DRAFT = """\
# Who pulls, and from where.
principal:
  display_name: mycontainerregistry-pull   # provision finds or makes it
registries:
  - id: {registry}
key_vault: {{url: "{vault}", password_secret: {secret}, username_secret: {user}}}
proof: {{times: 2, over: 10s, deadline: 5m}}  # short, for a test
container_groups:
  - id: {group}
    manifest: manifests/app.yaml
"""
MANIFEST = f"""\
location: eastus
properties:
  osType: Linux
  restartPolicy: Always
  containers:
    - name: app
      properties:
        image: {SERVER}/aci-helloworld:v1
        resources: {{requests: {{cpu: 1.0, memoryInGB: 1.5}}}}
  imageRegistryCredentials:
    - server: {SERVER}
      username: ${{{{ credential:username }}}}
      password: ${{{{ credential:password }}}}
"""


def bare(loop: VirtualLoop, directory: Path, cloud: Cloud = PUBLIC, /, *, draft: str = DRAFT, **timing: Any) -> Stage:
    """Return the world: no pull credential, and no application called `CALLED`."""
    http_challenge_cache.clear()
    azure = Azure.build(AzureClock(stage.START, loop.time), seed=7, timing=stage.lagging(**timing))
    seeded = fill(azure, cloud)
    app = build(azure)
    application, principal, password = stage._principal(azure, seeded, "bystander", 360)
    azure.clock.advance(timedelta(days=1))
    directory.joinpath("manifests").mkdir(parents=True, exist_ok=True)
    directory.joinpath("manifests", "app.yaml").write_text(MANIFEST.replace(SERVER, seeded.login_server))
    group = f"/subscriptions/{seeded.subscription}/resourceGroups/{seeded.resource_group}/providers/Microsoft.ContainerInstance/containerGroups/app"
    said = draft.format(registry=seeded.registry_id, vault=seeded.vault_url, secret=SECRET, user=USER, group=group)
    directory.joinpath(f"{NAME}.yaml").write_text(said)
    stage.sign_in(seeded)
    policy = wanted(directory).known()
    return stage.hooked(
        Stage(loop, azure, app, seeded, application, principal, password, application, policy, stage.Clock(loop))
    )


def wanted(directory: Path) -> Wanted:
    """Return the current content of the policy file, with its writer."""
    file = directory / f"{NAME}.yaml"
    return Wanted(load_draft(directory, NAME), lambda app_id: save(file, app_id))


async def provisioned(made: Stage, directory: Path, minutes: float | None = None) -> Result:
    """Run `rotator provision` once, by a process that reads the file again."""
    now = wanted(directory)
    made.policy = now.known()
    return await made.with_world(lambda run: provision(run, now), minutes=minutes)


def settle(made: Stage, directory: Path) -> Policy:
    """Set the stage's policy and principal from the current file; return the policy."""
    (made.policy,) = load(directory)
    found = made.azure.directory.application(made.policy.app_id)
    principal = made.azure.directory.principal(made.policy.app_id)
    assert found and principal
    made.application, made.principal = found, principal
    return made.policy


def called(made: Stage) -> list[Application]:
    """Return every application of the name."""
    return [
        one
        for one in made.azure.directory.state.applications.values()
        if one.display_name == CALLED and one.deleted is None
    ]


__all__ = ["CALLED", "DRAFT", "NAME", "USER", "bare", "called", "provisioned", "settle", "wanted"]
