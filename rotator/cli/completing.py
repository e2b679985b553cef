"""Completion of names in a shell: policies by their files, container groups by their policy.

A broken file does not stop the completion of other names; nothing is asked of Azure, and nothing is written.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

_PRINCIPAL = re.compile(r"""^(?:\{\s*)?["']?principal["']?\s*:""", re.MULTILINE)
LARGEST = 200_000
"""Characters of a file that are searched for a principal: a manifest has none."""
_REGISTERED = "compdef %(complete_func)s %(prog_name)s"
_CALLED = '[[ ${funcstack[1]} != _%(prog_name)s ]] || %(complete_func)s "$@"'
"""Call of the completion by zsh itself, which runs a file of its path with the first tab of a shell."""


def fix_zsh() -> None:
    """Let typer's script for zsh work from zsh's path; a typer with other insides keeps its own script.

    `#compdef` has to be its first line, and the first tab, which only registered the completion, has to complete.
    """
    with suppress(ImportError, AttributeError):
        from typer import _completion_classes as classes
        from typer import _completion_shared as shared

        fixed = shared.COMPLETION_SCRIPT_ZSH.strip().replace(_REGISTERED, f"{_REGISTERED}\n{_CALLED}")
        shared._completion_scripts["zsh"] = fixed  # noqa: SLF001 - typer has no other place for a script
        classes.ZshComplete.source_template = fixed


def policies(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of policies that begin like this, without those given already."""
    given = context.params.get("names") or ()
    found: list[str] = []
    with suppress(Exception):  # a shell has no place for an error
        found += _names(_directory(context))
    return [name for name in found if name.startswith(incomplete) and name not in given]


def groups(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the policy's container groups that begin like this."""
    from rotator.policy import gather

    name, found = context.params.get("name"), list[str]()
    with suppress(Exception):
        served = gather(_directory(context), (str(name),)).policies
        found += (group.id.name for policy in served for group in policy.container_groups)
    return [each for each in found if each.lower().startswith(incomplete.lower())]


def _directory(context: typer.Context) -> Path:
    return Path(context.params.get("policies") or os.environ.get("ROTATOR_POLICIES") or "policies")


def _names(directory: Path) -> Iterator[str]:
    from rotator.policy.files import content
    from rotator.policy.listing import listed

    for file in listed(directory, required=False):
        if not file.mistake and _PRINCIPAL.search(content(file.file).anyway[:LARGEST]):
            yield file.name
