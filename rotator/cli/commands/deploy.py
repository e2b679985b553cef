"""``rotator deploy``: replace ``az container create`` in a nightly script."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.choosing import Group, chosen
from rotator.cli.invocation import Common
from rotator.cli.options import MaxDuration, Name, command, span
from rotator.errors import RotatorError
from rotator.remedy import rotator
from rotator.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from rotator.engine import Deployed, Run
    from rotator.policy import Policy
    from rotator.resource_id import ResourceId


OWN = frozenset({*range(1, 6), *(128 + number for number in (1, 2, 15))})
"""Exit codes of rotator itself: those of the README, and those of SIGHUP, SIGINT and SIGTERM."""
SHIFT, LARGEST = 100, 255
"""Added to a job's exit code that rotator has itself, and the largest exit code of a process."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """Options of a deployment: wait for its end, print its logs, new images by the name of the container."""

    wait: bool
    logs: bool
    images: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeployOutcome:
    """Result of a deployment, to be reported.

    `deployed`: the evidence. `logs`: the output of each container. `unread`: the error if the logs can't be read.
    `alarms`: sentences to write first. `warned`: there was a warning.
    """

    deployed: "Deployed"
    logs: tuple[tuple[str, str], ...] = ()
    unread: RotatorError | None = None
    alarms: tuple[str, ...] = ()
    warned: bool = False

    @property
    def exit_code(self) -> int:
        """Return the exit code for the job if the job has failed, else 1 for a problem, else 0.

        Problems: the group isn't seen to be healthy, the logs can't be read, or there is a warning or an alarm.
        """
        from rotator.container_group import Verdict

        ended = self.deployed.exit_code is not None
        unwell = not (ended or self.deployed.verdict is Verdict.HEALTHY) or self.unread is not None
        return passed_on(self.deployed.exit_code or 0) or int(unwell or bool(self.alarms) or self.warned)


def passed_on(code: int) -> int:
    """Return the exit code of a process for the exit code of a job: never one that rotator ends with by itself.

    Windows containers have codes that don't fit into a process's.
    """
    if code in OWN:
        return code + SHIFT
    return code if 0 <= code <= LARGEST else LARGEST


@command
def carry_out(
    common: Common,
    name: Name,
    group: Group = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help=(
                "Wait until a job has ended, and end with its exit code. 100 is added to a code that rotator uses"
                " itself."
            ),
        ),
    ] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Print the logs of its containers; implies --wait.")] = False,
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image",
            metavar="CONTAINER=REFERENCE",
            help="Give a container another image, and change nothing else; can be repeated.",
        ),
    ] = None,
    max_duration: MaxDuration = None,
) -> None:
    """Deploy a container group now, with the current credential.

    From its manifest, or as it is; for nightly scripts, in place of `az container create`. With --image the group stays
    as it is but for that image, which the registry must serve for the current credential. A job at work is never
    interrupted. Takes no lease: a job must not be lost because a rotation is under way. Waits for Azure's limits as far
    as --max-duration allows.
    """
    from rotator.cli import session
    from rotator.cli.progress import telling

    (policy,) = common.load((name,))
    group_id = chosen(policy, group, any_=bool(image)).id
    asked, at_most = DeployRequest(wait or logs, logs, _images(image or [])), span(max_duration)
    with telling(common) as (tell, _):
        outcome = session.run(
            common,
            (policy,),
            lambda runs: _heeded(next(iter(runs)), group_id, asked),
            tell=tell,
            at_most=at_most,
        )
    common.write(lambda: _text(policy, outcome), lambda: _body(policy, outcome), outcome.exit_code)


def _images(given: "Sequence[str]") -> dict[str, str]:
    """Return the new images by the name of the container. Raises BadParameter."""
    found: dict[str, str] = {}
    for one in given:
        name, _, image = one.partition("=")
        if wrong := _wrong(name, image, found):
            raise typer.BadParameter(f"{one}: {wrong}", param_hint="--image")
        found[name] = image
    return found


def _wrong(name: str, image: str, before: "Container[str]") -> str | None:
    """Return the mistake of a new image; None without one."""
    if not (name and image):
        return "write CONTAINER=REFERENCE"
    if name in before:
        return f"container {name} has one already"
    from rotator.policy.acceptable import wrong_reference

    return wrong_reference(image) or None


async def _heeded(run: "Run", group_id: "ResourceId", asked: DeployRequest) -> DeployOutcome:
    """Deploy, and report first the compromised credentials still able to sign in, also if the deployment failed."""
    from rotator.engine import tell_exposed

    score = run.score
    try:
        outcome = await _deployed(run, group_id, asked)
    except RotatorError as error:
        score.failed += 1
        if score.changed and error.state == RotatorError.state:
            error.state = f"Azure accepted the deployment of {group_id.name}; how it went is not known."
            error.remedy = (
                f"Look at the group before another deployment: `{rotator('status', run.policy.name, verbose=True)}`."
            )
        await tell_exposed(run)
        if not score.alarms:
            raise
        found = error.diagnose()
        happened = "; ".join([*score.alarms, found.happened])
        raise RotatorError(f"{run.policy.name}: {happened}", state=found.state, remedy=found.remedy) from None
    await tell_exposed(run)
    return replace(outcome, alarms=tuple(score.alarms), warned=bool(score.warned))


async def _deployed(run: "Run", group_id: "ResourceId", asked: DeployRequest) -> DeployOutcome:
    from rotator.engine import deploy_now

    deployed = await deploy_now(run, group_id, wait=asked.wait, images=asked.images)
    try:
        return DeployOutcome(deployed, await _printed(run, group_id) if asked.logs else ())
    except RotatorError as error:
        error.state = f"{group_id.name} is deployed with credential {deployed.key_id}; only its logs couldn't be read."
        return DeployOutcome(deployed, unread=error)


async def _printed(run: "Run", group_id: "ResourceId") -> tuple[tuple[str, str], ...]:
    from rotator.arm_json import containers

    found = await run.world.group(group_id)
    names = [str(container.get("name")) for kind, container in containers(found.document) if kind == "containers"]
    return tuple([(name, await run.world.logs(group_id, name)) for name in names])


def _text(policy: "Policy", outcome: DeployOutcome) -> str:
    found = outcome.deployed
    ended = "" if found.exit_code is None else f"; the job ended with {found.exit_code}"
    ended += f" (exit {outcome.exit_code})" if found.exit_code and found.exit_code != outcome.exit_code else ""
    lines = [
        *(one_line(f"{policy.name}: {alarm}") for alarm in outcome.alarms),
        one_line(
            f"{found.group.name}: deployed with credential {found.key_id}: {found.verdict.replace('_', ' ')}{ended}"
        ),
    ]
    lines += [
        one_line(f"{image} is not pulled with this credential, so its pull could not be proven before the deployment")
        for image in found.unproven
    ]
    lines += [str(outcome.unread.diagnose())] if outcome.unread else []
    several = len(outcome.logs) > 1
    for container, text in outcome.logs:
        lines += [one_line(f"{container}:")] if several else []
        lines += text.replace("\r\n", "\n").rstrip("\n").split("\n") if text else []
    return "\n".join(lines)


def _body(policy: "Policy", outcome: DeployOutcome) -> dict[str, Any]:
    from rotator.report.words import error_body

    found = outcome.deployed
    body = {
        "policy": policy.name,
        "group": found.group,
        "key_id": found.key_id,
        "verdict": found.verdict,
        "job_exit_code": found.exit_code,
        "unproven": list(found.unproven),
    }
    return {
        **body,
        "alarms": list(outcome.alarms),
        "logs": dict(outcome.logs),
        "error": error_body(outcome.unread) if outcome.unread else None,
    }
