"""``rotator validate``: check policies without asking Azure."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command

if TYPE_CHECKING:
    from rotator.policy import EffectiveValue, Gathered, Policy

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

    Every mistake is shown at once, with its place and what to write instead. More than 20 valid policies are counted;
    -v shows each.
    """
    found = common.gather(tuple(names or ()))
    if effective:
        _write_effective(common, found)
    else:
        common.write(lambda: _text(common, found), lambda: {"policies": list(map(_body, found.policies))})


def _text(common: Common, found: "Gathered") -> str:
    from rotator.report.many import FEW

    if len(found.policies) > FEW and not common.verbose:
        return f"{len(found.policies)} policies are valid; -v shows each"
    return "\n".join(f"{policy.name}: valid ({policy.file})" for policy in found.policies)


def _body(policy: "Policy") -> dict[str, Any]:
    return {"policy": policy.name, "file": policy.file}


def _write_effective(common: Common, found: "Gathered") -> None:
    from rotator.policy import effective_values
    from rotator.report.effective import effective_body, effective_text

    def values(policy: "Policy") -> "tuple[EffectiveValue, ...]":
        return effective_values(policy, found.written[policy.file])

    common.write(
        lambda: "\n\n".join(effective_text(policy, values(policy)) for policy in found.policies),
        lambda: {"policies": [effective_body(policy, values(policy)) for policy in found.policies]},
    )
