"""``rotator validate``: check policies without asking Azure."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rotator.policy import EffectiveValue, Gathered, Policy

    Wrong = Mapping[str, Sequence[Mapping[str, str]]]

Effective = Annotated[
    bool,
    typer.Option(
        "--effective",
        help="Show every value of each policy, and where it comes from: its file, its defaults, or rotator.",
    ),
]


@command
def carry_out(common: Common, names: Names = None, effective: Effective = False) -> None:
    """Check policies without asking Azure anything.

    Every mistake is shown at once, with its place and what to write instead, and every manifest that no deployment
    would take. More than 20 valid policies are counted; -v shows each.
    """
    found = common.gather(tuple(names or ()))
    if effective:
        _write_effective(common, found)
        return
    wrong = {policy.name: listed for policy in found.policies if (listed := _undeployable(policy))}
    common.write(
        lambda: _text(common, found, wrong),
        lambda: {"policies": [_body(policy, wrong) for policy in found.policies]},
        2 if wrong else 0,
    )


def _undeployable(policy: "Policy") -> list[dict[str, str]]:
    """Return the manifests of a policy that no deployment takes, each with its problems and the remedy."""
    if not any(group.manifest for group in policy.container_groups):
        return []
    from rotator.container_group import manifest_of, manifest_problems, manifest_remedy

    written = [each for group in policy.container_groups if (each := manifest_of(policy, group))]
    return [
        {"group": each.id, "file": each.file, "problem": problem, "remedy": manifest_remedy(each)}
        for each in written
        if (problem := "; ".join(manifest_problems(each)))
    ]


def _text(common: Common, found: "Gathered", wrong: "Wrong") -> str:
    from rotator.report.many import FEW

    valid = [policy for policy in found.policies if policy.name not in wrong]
    lines = [f"{policy.name}: valid ({policy.file})" for policy in valid]
    if len(valid) > FEW and not common.verbose:
        lines = [f"{len(valid)} policies are valid; -v shows each"]
    for name, listed in wrong.items():
        lines += [f"{name}: {each['file']} can't be deployed: {each['problem']}\n{each['remedy']}" for each in listed]
    return "\n".join(lines)


def _body(policy: "Policy", wrong: "Wrong") -> dict[str, Any]:
    return {"policy": policy.name, "file": policy.file, "manifests": wrong.get(policy.name, [])}


def _write_effective(common: Common, found: "Gathered") -> None:
    from rotator.policy import effective_values
    from rotator.report.effective import effective_body, effective_text

    def values(policy: "Policy") -> "tuple[EffectiveValue, ...]":
        return effective_values(policy, found.written[policy.file])

    common.write(
        lambda: "\n\n".join(effective_text(policy, values(policy)) for policy in found.policies),
        lambda: {"policies": [effective_body(policy, values(policy)) for policy in found.policies]},
    )
