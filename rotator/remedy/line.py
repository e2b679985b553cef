"""Write one bash command: each value is one quoted word, and none is taken for an option."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotator.visible import argument


@dataclass(frozen=True, slots=True)
class Bash:
    """A word that bash computes: a substitution or a variable, in the quotes that it needs."""

    text: str


Word = str | Bash
Option = Word | Sequence[Word] | bool | None
"""One word, several, a flag, or an option that is left out."""


def command(start: str, *values: Word, **options: Option) -> str:
    """The command that begins with `start`, with its values, then its options; ``--`` goes before values that look like options."""
    given = [
        _option(f"--{name.replace('_', '-')}", option)
        for name, option in options.items()
        if option not in (None, False)
    ]
    words = [_word(value) for value in values]
    if any(map(_dashed, values)):
        return " ".join((start, *given, "--", *words))
    return " ".join((start, *words, *given))


def az(verb: str, **options: Option) -> str:
    """A command of the Azure CLI."""
    return command(f"az {verb}", **options)


def output(inner: str) -> Bash:
    """What a command prints, as one word."""
    return Bash(f'"$({inner})"')


def file_of(inner: str) -> Bash:
    """A file that holds what a command prints, so that it stands on no command line."""
    return Bash(f"<({inner})")


def within(text: str, computed: str) -> Bash:
    """A value of `body` that goes on with what bash computes."""
    return Bash(f"{_in_quotes(json.dumps(text)[1:-1])}{computed}")


def resource(resource_id: str) -> Mapping[str, str]:
    """The options that name a resource to az."""
    parts = resource_id.split("/")
    return {"subscription": parts[2], "resource_group": parts[4], "name": parts[8]}


def body(content: Mapping[str, Word]) -> Word:
    """A JSON object as one word, in which bash computes the values that are to be computed."""
    if not any(isinstance(value, Bash) for value in content.values()):
        return json.dumps(content)
    fields = ", ".join(f"{_in_quotes(json.dumps(name))}: {_in_json(value)}" for name, value in content.items())
    return Bash(f'"{{{fields}}}"')


def _in_json(value: Word) -> str:
    return f'\\"{value.text}\\"' if isinstance(value, Bash) else _in_quotes(json.dumps(value))


def _in_quotes(text: str) -> str:
    """JSON within bash's double quotes, where four characters act, and in an interactive shell the exclamation mark."""
    for char in '\\"$`':
        text = text.replace(char, f"\\{char}")
    return text.replace("!", r"\\u0021").replace("\x7f", r"\\u007f")


def _option(name: str, option: Option) -> str:
    if isinstance(option, str | Bash):
        return f"{name}={_word(option)}" if _dashed(option) else f"{name} {_word(option)}"
    return " ".join((name, *map(_word, option if isinstance(option, Sequence) else ())))


def _dashed(value: Word) -> bool:
    return isinstance(value, str) and value.startswith("-")


def _word(value: Word) -> str:
    return value.text if isinstance(value, Bash) else argument(value)
