"""``rotator discover``: list the container groups using a principal's password; draft missing policies.

The first command for a new user.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.files import created
from rotator.cli.invocation import Common
from rotator.cli.options import command
from rotator.errors import RotatorError
from rotator.remedy import list_subscriptions

if TYPE_CHECKING:
    from rotator.discovery import Listing, PolicyText
    from rotator.policy import Policy

Subscriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription",
        metavar="ID",
        help=(
            "Where to look; repeatable. Default: the policies' subscriptions; without policies, all that can be listed."
        ),
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="Also list the groups that need no rotation, with the reason.")]
Write = Annotated[
    bool, typer.Option("--write", help="Draft a policy for each principal that has none; no file is overwritten.")
]
Drafts = Annotated[Path, typer.Option("--drafts", metavar="DIR", help="Where --write puts the drafts.")]


@command
def carry_out(
    common: Common,
    subscription: Subscriptions = None,
    everything: Everything = False,
    write: Write = False,
    drafts: Drafts = Path("drafts"),
) -> None:
    """Find the container groups that pull with a password.

    Shows the principal of each password, the policy in charge, and groups without a policy. Reads lists only. Ends with
    1 where a subscription can't be read.
    """
    wanted = tuple(map(_guid, subscription or ()))
    policies = common.load(required=False)
    if write and policies and drafts.resolve().is_relative_to(common.policies.resolve()):
        raise typer.BadParameter(
            "an unfinished draft among the policies makes every run end with 2; draft into another directory (--drafts)"
        )
    from rotator.cli.terminal import columns
    from rotator.discovery import find
    from rotator.report.discovery import Discovery, discovery_body, discovery_text

    sight = _sight(common, policies, wanted, registries=write)
    found = find(sight, policies)
    seen = Discovery(sight, found, everything=everything)
    if write:
        from rotator.discovery import drafts as drafted

        there = {**_texts(drafts), **{str(Path(one.file).absolute()): one.text for one in common.unserved}}
        written = tuple(_written(drafts, one) for one in drafted(found, sight, policies, there))
        seen = replace(seen, drafts=written, schema=_schema(drafts, written))
    common.write(lambda: discovery_text(seen, columns()), lambda: discovery_body(seen), seen.exit_code)


def _guid(text: str) -> str:
    from rotator.resource_id import GUID

    if not re.fullmatch(GUID, text):
        raise typer.BadParameter(f"--subscription {text}: not a GUID; `{list_subscriptions()}` prints them")
    return text.lower()


def _sight(common: Common, policies: "tuple[Policy, ...]", wanted: tuple[str, ...], *, registries: bool) -> "Listing":
    from rotator.cli import wiring
    from rotator.cli.progress import waits_told
    from rotator.cloud import CLOUDS
    from rotator.engine.discover import see

    async def main() -> "Listing":
        _, connecting = wiring.connected(common.cloud.value)
        async with connecting as world:
            world.tell_waits(waits_told(common))
            return await see(world, CLOUDS[common.cloud.value], policies, wanted, registries=registries)

    return wiring.run(main())


def _texts(directory: Path) -> Mapping[str, str]:
    """Return the texts of the existing drafts, by file name."""
    files = sorted(directory.iterdir()) if directory.is_dir() else []
    return {
        file.name: file.read_text("utf-8", errors="replace")
        for file in files
        if file.suffix in (".yaml", ".yml") and file.is_file()
    }


def _schema(directory: Path, drafts: "tuple[PolicyText, ...]") -> str | None:
    """Write the schema beside new drafts, which name it, unless it is there; return the path of a new file."""
    from rotator.discovery import SCHEMA
    from rotator.policy.jsonschema import render

    file = directory / SCHEMA
    if file.exists() or not any(one.text for one in drafts):
        return None
    _made(file, render())
    return str(file)


def _written(directory: Path, draft: "PolicyText") -> "PolicyText":
    """Write a new draft to its file, and return the draft with the path of the file.

    Never overwrite another file, even one created a moment ago.
    """
    if draft.file is None:
        return draft
    file = directory / draft.file
    if draft.text is not None:
        directory.mkdir(parents=True, exist_ok=True)
        _made(file, draft.text)
    return replace(draft, file=str(file))


def _made(file: Path, text: str) -> None:
    """Make a file. Raises RotatorError if it is there, or can't be written."""
    try:
        created(file, text)
    except FileExistsError:
        raise RotatorError(
            f"{file} was created by others during this command", remedy="Run again; nothing was overwritten."
        ) from None
    except OSError as error:
        what = f"{file} can't be written: {error.strerror}"
        raise RotatorError(
            what,
            state="The drafts before this one are written.",
            remedy="Free some space, or make the directory writable, then run again.",
        ) from None
