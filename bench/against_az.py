"""Rotation of many principals by the real command, against the az commands that people use by hand, in turn.

Both talk to the emulator over TLS; it is another process, and its processor time isn't counted. az adds a password,
publishes it, redeploys the container group and removes the old password: without proof that the new one works. rotator
proves each credential twice.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml
from costs import ROOT, Cost, cost
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.detached import Settings, start, stop
from local_azure.directory import StateDirectory
from local_azure.seed import fill
from local_azure.store import save
from local_azure.timing import QUICK

from rotator.policy import Policy

sys.path.insert(0, str(ROOT))
from tests.fleets import DUE, SUBSCRIPTIONS, Fleet, at_rest, let_pull

SIZE, BY_HAND = 50, 2
"""Numbers of principals for rotator, in one run, and for az."""
AIM, IN_THE_END = 15, 40
AZ = os.environ.get("ROTATOR_AZ") or shutil.which("az")
ROTATOR = (sys.executable, "-m", "rotator")


def lines() -> list[str]:
    """Return the lines of the table."""
    if AZ is None:
        return ["az isn't here: put it on PATH, or name it in ROTATOR_AZ"]
    with tempfile.TemporaryDirectory() as folder:
        directory = StateDirectory(Path(folder) / "state")
        made = _fleet(directory)
        start(Settings(directory, timing="quick"))
        try:
            mine = _by_rotator(made, directory, Path(folder) / "policies").processor / SIZE
            theirs = sum(_by_az(made, number, directory).processor for number in range(BY_HAND)) / BY_HAND
        finally:
            stop(directory)
    verdict = "" if theirs / mine >= AIM else "  MISSED"
    ratio = f"{theirs / mine:5.1f} x less processor   aim {AIM} x, {IN_THE_END} x in the end"
    each = f"({mine * 1000:.0f} ms against {theirs * 1000:.0f} ms a principal)"
    return [f"{f'{SIZE} principals':20} {ratio}   {each}{verdict}"]


def _fleet(directory: StateDirectory) -> Fleet:
    """Put a fleet whose rotation is due into a state directory."""
    azure = Azure.build(Clock(datetime.now(UTC) - DUE, lambda: 0.0), seed=7, timing=QUICK)
    seeded = fill(azure)
    made = at_rest(azure, seeded, SIZE + SUBSCRIPTIONS * BY_HAND, DUE, groups=1)
    let_pull(made)
    directory.make()
    save(azure, directory.state)
    directory.keep(seeded)
    return made


def _environment(directory: StateDirectory, *words: str) -> dict[str, str]:
    """Return the environment in which a program takes the emulator for Azure."""
    command = [sys.executable, "-m", "local_azure", "env", "--dir", str(directory.path), *words]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout
    pairs = (shlex.split(line.removeprefix("export "))[0].partition("=") for line in shown.splitlines() if "=" in line)
    return {**os.environ, **{name: value for name, _, value in pairs}}


def _by_rotator(made: Fleet, directory: StateDirectory, policies: Path) -> Cost:
    policies.mkdir()
    for policy in made.policies[:SIZE]:
        content = policy.model_dump(mode="json", exclude_unset=True, exclude={"name", "file"})
        content["proof"] = {"times": 2, "over": "0s"}
        (policies / f"{policy.name}.yaml").write_text(yaml.safe_dump(content))
    environment = _environment(directory) | {"ROTATOR_LEASE_DIR": str(directory.path / "leases")}
    return cost((*ROTATOR, "rotate", "--policies", str(policies)), environment)


def _by_az(made: Fleet, number: int, directory: StateDirectory) -> Cost:
    """Rotate one principal with az, by the commands for a rotation by hand."""
    environment, policy = _environment(directory, "--az", "--as", "admin"), _by_hand(made)[number]
    if number == 0:
        _az(environment, "login", "--service-principal", "--username", environment["AZURE_CLIENT_ID"],
            f"--password={environment['AZURE_CLIENT_SECRET']}", "--tenant", environment["AZURE_TENANT_ID"])  # fmt: skip
    app_id, group, vault = policy.principal.app_id, policy.container_groups[0].id, policy.key_vault
    server = made.seeded.login_server
    (old,) = made.azure.directory.passwords(app_id)
    costs = [
        _az(environment, "ad", "app", "credential", "reset", "--id", app_id, "--append"),
        _az(environment, "keyvault", "secret", "set", "--vault-name", vault.name, "--name", vault.password_secret,
            "--value", "as-long-as-a-password"),
        _az(environment, "container", "create", "--subscription", group.subscription, "--resource-group",
            group.resource_group, "--name", group.name, "--image", f"{server}/aci-helloworld:v1", "--os-type", "Linux",
            "--cpu", "1", "--memory", "1.5", "--registry-login-server", server, "--registry-username", app_id,
            f"--registry-password={old.secret}"),
        _az(environment, "ad", "app", "credential", "delete", "--id", app_id, "--key-id", old.key_id),
    ]  # fmt: skip
    return Cost(sum(each.processor for each in costs), sum(each.elapsed for each in costs))


def _by_hand(made: Fleet) -> list[Policy]:
    """Return the policies for az: those in the subscription of its sign-in."""
    rest = made.policies[SIZE:]
    return [each for each in rest if each.container_groups[0].id.subscription == made.seeded.subscription]


def _az(environment: Mapping[str, str], *words: str) -> Cost:
    return cost((str(AZ), *words, "--output", "none"), environment)


if __name__ == "__main__":
    print("\n".join(lines()))
