"""Choose one container group of a policy by name or id."""

from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.completing import groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotator.policy import GroupPolicy, Policy

Group = Annotated[
    str | None,
    typer.Argument(
        metavar="[GROUP]",
        help="Name or id of a container group; default: the only one, or the only one with a manifest.",
        autocompletion=groups,
    ),
]


def chosen(policy: "Policy", group: str | None) -> "GroupPolicy":
    """Return the declared group of this name or id; without one the only group, or the only one with a manifest.

    Raises BadParameter with the groups to choose from.
    """
    declared = policy.container_groups
    if group:
        return _only(policy, [one for one in declared if one.id == group or one.id.name.lower() == group.lower()])
    return _only(policy, [one for one in declared if one.manifest] or list(declared))


def _only(policy: "Policy", fitting: "Sequence[GroupPolicy]") -> "GroupPolicy":
    if len(fitting) != 1:
        names = ", ".join(one.id.name for one in fitting or policy.container_groups) or "none"
        raise typer.BadParameter(f"{policy.name} has {len(fitting)} container groups that fit; name one of: {names}")
    return fitting[0]
