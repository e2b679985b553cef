"""Verbs that people try, and the verbs of rotator that they mean."""

from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup

MEANT = {
    **dict.fromkeys(("list", "ls", "show", "get", "ps", "top"), "status"),
    **dict.fromkeys(("apply", "run", "renew", "roll", "reset", "refresh", "exec"), "rotate"),
    **dict.fromkeys(("diff", "preview", "whatif", "what-if", "dry-run"), "plan"),
    **dict.fromkeys(("lint", "verify"), "validate"),
    **dict.fromkeys(("test", "check"), "doctor"),
    **dict.fromkeys(("init", "create", "setup", "new"), "provision"),
    **dict.fromkeys(("find", "scan", "search"), "discover"),
    **dict.fromkeys(("log", "logs", "audit"), "history"),
    **dict.fromkeys(("start", "restart", "redeploy"), "deploy"),
    **dict.fromkeys(("delete", "remove", "disable", "deny"), "revoke"),
    **dict.fromkeys(("restore", "enable", "allow"), "grant"),
    **dict.fromkeys(("import", "take"), "adopt"),
    "export": "manifest",
    "help": "--help",
    "version": "--version",
}
"""Verbs of other programs, and what comes nearest."""
ABSENT = {"help", "install_completion", "show_completion"}
"""Options of ``rotator`` itself that don't stand before a verb. Typer would load pydantic to find out."""


DIRECTORIES = ("--policies", "--lease-dir")
"""Options with a directory, for which an empty text would be the working directory."""


def _empty(words: list[str]) -> str | None:
    """Return the first option with an empty text in place of a directory."""
    pairs = zip(words, [*words[1:], None], strict=True)
    return next(
        (each for one, more in pairs for each in DIRECTORIES if one == f"{each}=" or (one, more) == (each, "")), None
    )


class Verbs(TyperGroup):
    """Group of commands that answers an unknown verb with the one that is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line up to the verb; no option of ``rotator`` is looked for where the verb comes first."""
        ctx.meta[__name__] = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of ``rotator`` that the command line may have."""
        found = super().get_params(ctx)
        return [each for each in found if each.name not in ABSENT] if ctx.meta.get(__name__) else found

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command of a command line. Raises UsageError with the verb that is meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and (meant := self._meant(name, args[1:])):
            ctx.fail(f"There is no verb {name!r}. Did you mean `rotator {meant}`?")
        if option := _empty(args):
            ctx.fail(f"{option} is followed by an empty text, which names no directory: a variable may be unset.")
        return super().resolve_command(ctx, args)

    def _meant(self, name: str, rest: list[str]) -> str:
        """Return the nearest verb; for help of a verb, the verb with its option; empty if none is near."""
        if name == "help" and rest and rest[0] in self.commands:
            return f"{rest[0]} --help"
        return MEANT.get(name.lower()) or next(iter(get_close_matches(name.lower(), self.commands)), "")
