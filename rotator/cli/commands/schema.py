"""``rotator schema``: print the JSON schema of policies, for editors."""

from typing import Annotated

import typer

from rotator.cli.output import say


def carry_out(
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The schema of _defaults.yaml, in place of that of policies.")
    ] = False,
) -> None:
    """Print the JSON schema of policies, for editors.

    Editors complete and check policies by it. `rotator schema > policies/policy.schema.json` keeps it where the
    first line of a policy names it.
    """
    from rotator.policy.jsonschema import render

    say(render(defaults=defaults).rstrip("\n"))
