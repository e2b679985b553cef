"""Write one bash command: each value is one quoted word, and none is taken for an option."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotator.resource_id import as_written
from rotator.visible import argument


@dataclass(frozen=True, slots=True)
class Bash:
    """Word computed by bash: a substitution or a variable, in the required quotes."""

    text: str


Word = str | Bash
Option = Word | Sequence[Word] | bool | None
"""One word, several, a flag, or an option that is left out."""


def command(start: str, *values: Word, **options: Option) -> str:
    """Return the command: `start`, values, then options; ``--`` goes before values looking like options."""
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
    """Return a command's output as one word."""
    return Bash(f'"$({inner})"')


def file_of(inner: str) -> Bash:
    """Return a file with a command's output, to keep the output off the command line."""
    return Bash(f"<({inner})")


def within(text: str, computed: str) -> Bash:
    """Return a value of `body`: `text`, followed by the part computed by bash."""
    return Bash(f"{_in_quotes(json.dumps(text)[1:-1])}{computed}")


def resource(resource_id: str) -> Mapping[str, str]:
    """Return the options naming a resource to az."""
    subscription, group, name = as_written(resource_id)
    return {"subscription": subscription, "resource_group": group, "name": name}


def body(content: Mapping[str, Word]) -> Word:
    """Return a JSON object as one word, with computed values left to bash."""
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
