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


def chosen(policy: "Policy", group: str | None, *, any_: bool = False) -> "GroupPolicy":
    """Return the declared group of this name or id; without one the only group, or the only one with a manifest.

    With `any_` a manifest makes no difference. Raises BadParameter with the groups to choose from.
    """
    declared = policy.container_groups
    if group:
        named = [one for one in declared if one.id == group or one.id.name.lower() == group.lower()]
        return _only(policy, named, f"{policy.name} declares no container group {group}")
    fitting = [one for one in declared if one.manifest and not any_]
    of_which = " with a manifest" if fitting else ""
    count = f"{policy.name} declares {len(fitting) or len(declared) or 'no'} container groups{of_which}"
    return _only(policy, fitting or list(declared), count)


def _only(policy: "Policy", fitting: "Sequence[GroupPolicy]", why: str) -> "GroupPolicy":
    if len(fitting) != 1:
        names = ", ".join(one.id.name for one in fitting or policy.container_groups)
        raise typer.BadParameter(f"{why}; name one of: {names}" if names else why)
    return fitting[0]
