r"""Text from outside, made harmless: whoever names a credential, a group or a file must not write a terminal's screen, a log's line or a command.

What a terminal would act on, and what nobody can see, is shown by its escape (``\x1b``, ``\u202e``): control
characters, those that turn the direction of writing, those without width, separators of lines and paragraphs, halves of
surrogate pairs. Letters of every script stay as they are. JSON needs none of it: there they are escaped anyway, and
nothing is lost.
"""

import re
import shlex
import unicodedata

ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: control, format, surrogate, separators of lines and paragraphs."""
_UNUSUAL = re.compile(r"[^ -~]")


def visible(text: str, keep: str = "\n") -> str:
    """The text with every character that acts, or can't be seen, as its escape; those in `keep` stay."""
    return _UNUSUAL.sub(lambda found: found[0] if found[0] in keep or not acts(found[0]) else _escape(found[0]), text)


def one_line(text: str) -> str:
    """The text in one line: a line end in a name doesn't begin a line of a report or of a log."""
    return visible(text, keep="")


def argument(text: str) -> str:
    """The text as one word of a bash command: whatever is in it, pasting the command runs no other, and it stays in one line."""
    if not any(map(acts, text)):
        return shlex.quote(text)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{''.join(_in_bash(char) if acts(char) else char for char in quoted)}'"


def acts(char: str) -> bool:
    """Whether a character acts on a terminal, or is one that nobody can see."""
    return unicodedata.category(char) in ACTING


def _escape(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or ascii(char)[1:-1]


def _in_bash(char: str) -> str:
    """Its bytes in ANSI-C quoting; of a file name's byte that is no UTF-8, that byte (os.fsdecode)."""
    lone = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in char.encode(errors=lone))
