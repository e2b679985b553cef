r"""Escape text from outside, so that names can't control a terminal, forge a log line or add a command.

Replaced by an escape (``\x1b``, ``\u202e``): control characters, those changing the direction of writing, those without
width, separators of lines and paragraphs, halves of surrogate pairs. Letters of every script stay unchanged. JSON needs
no such escapes: JSON escapes these characters anyway, without loss.
"""

import re
import shlex
import unicodedata

ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: control, format, surrogate, separators of lines and paragraphs."""
_UNUSUAL = re.compile(r"[^ -~]")


def escaped(text: str, keep: str = "\n") -> str:
    """Return the text with every control or invisible character escaped; those in `keep` stay."""
    return _UNUSUAL.sub(lambda found: found[0] if found[0] in keep or not acts(found[0]) else _escape(found[0]), text)


def one_line(text: str) -> str:
    """The text in one line: a line end in a name doesn't begin a line of a report or of a log."""
    return escaped(text, keep="")


def argument(text: str) -> str:
    """Return the text as one word of a bash command, on one line.

    Pasting the command runs no other command, whatever the text contains.
    """
    if not any(map(acts, text)):
        return shlex.quote(text)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{''.join(_in_bash(char) if acts(char) else char for char in quoted)}'"


def acts(char: str) -> bool:
    """Tell if a character acts on a terminal, or is invisible."""
    return unicodedata.category(char) in ACTING


def _escape(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or ascii(char)[1:-1]


def _in_bash(char: str) -> str:
    """Return a character's bytes in ANSI-C quoting.

    For a file name's byte outside UTF-8, returns the byte itself (os.fsdecode).
    """
    lone = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in char.encode(errors=lone))
