"""Words of Azure's JSON reader (Newtonsoft's) about a body that is no JSON: what is wrong, the path, line and position.

Source: the texts of JsonTextReader in Newtonsoft.Json, as reported in Resource Manager's refusals. A path is that of
the last name or item begun.
"""

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def words(text: str, error: Exception) -> str:
    """Return the reader's words about `error`, raised by :mod:`json` for `text`."""
    if not isinstance(error, json.JSONDecodeError):
        return "Unexpected end when reading JSON. Path '', line 1, position 1."
    at = min(error.pos, len(text))
    path, ended = _path(text[:at]), not text[at:].strip()
    line, position = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1)
    found = text[at : at + 1]
    if ended or error.msg.startswith("Unterminated"):
        what = 'Unterminated string. Expected delimiter: ".' if "Unterminated" in error.msg else _END
        line, position = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1)
    elif not path and not text[:at].strip():
        return f"Unexpected character encountered while parsing value: {found}. Path '', line {line - 1}, position 0."
    elif "property name" in error.msg:
        what = f"Invalid property identifier character: {found}."
    elif "':' delimiter" in error.msg:
        what = f"Invalid character after parsing property name. Expected ':' but got: {found}."
    elif "',' delimiter" in error.msg:
        what = f"After parsing a value an unexpected character was encountered: {found}."
    elif error.msg == "Extra data":
        what = f"Additional text encountered after finished reading JSON content: {found}."
    else:
        what = f"Unexpected character encountered while parsing value: {found}."
    return f"{what} Path '{path}', line {line}, position {position}."


_END = "Unexpected end when reading JSON."


def _path(text: str) -> str:
    """Return the path reached at the end of `text`, as ``properties.containers[0].name``."""
    stack: list[str | int | None] = []
    last: str | None = None
    for part in _TOKEN.findall(text):
        if part in "{[":
            stack.append(0 if part == "[" else None)
        elif part in "}]" and stack:
            stack.pop()
        elif part == "," and stack and isinstance(stack[-1], int):
            stack[-1] += 1
        elif part == ":" and stack and last is not None:
            stack[-1] = last
        last = part.strip('"') if part.startswith('"') else None
    parts = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in stack if each is not None)
    return "".join(parts).lstrip(".")
