"""Lay a document over the defaults that it extends; every value keeps the place where it was written.

What a document says wins. Mappings are laid over each other key by key; every other value is taken whole, and so is a
deploy window.
"""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from rotator.errors import Mistake
from rotator.policy.located import Located, Path, Position, plain

WINDOW = ("rotation", "deploy_window")
WINDOWS = "windows"
SUBSCRIPTIONS = ("discover", "subscriptions")
DEFAULTS = "_defaults.yaml"
"""Name of the file with the defaults of a directory."""
_DEFINED = f"windows are defined under `{WINDOWS}:` in {DEFAULTS}"
_WRITTEN = "write its times here: {timezone: Europe/Paris, cron: 0 2 * * SAT, duration: 4h}"


def over(base: Located, top: Located) -> Located:
    """Return `top` with all that it doesn't say taken from `base`; its file and mistakes are those of `top`."""
    found = Located(top.file, mistakes=list(top.mistakes), shared=set(top.shared))
    found.data = _laid(found, (base, base.data), (top, top.data), ())
    return found


def _laid(into: Located, base: tuple[Located, Any], top: tuple[Located, Any], path: Path) -> Any:
    (below, shared), (document, own) = base, top
    if path == SUBSCRIPTIONS and isinstance(shared, list) and isinstance(own, list):
        return _added(into, base, top)
    if not (isinstance(shared, dict) and isinstance(own, dict)) or _whole(path):
        return _taken(into, document, own, path)
    _placed(into, document, path)
    found = {}
    for key in {**shared, **own}:
        here = (*path, key)
        if key not in own:
            found[key] = _taken(into, below, shared[key], here)
        elif key not in shared:
            found[key] = _taken(into, document, own[key], here)
        else:
            found[key] = _laid(into, (below, shared[key]), (document, own[key]), here)
    return found


def _added(into: Located, base: tuple[Located, Any], top: tuple[Located, Any]) -> list[Any]:
    """Return the subscriptions of both, since one that is looked in is never taken away."""
    _placed(into, top[0], SUBSCRIPTIONS)
    found: list[Any] = []
    for source, listed in (base, top):
        for index, item in enumerate(listed):
            if item not in found:
                _taken(into, source, item, (*SUBSCRIPTIONS, len(found)), (*SUBSCRIPTIONS, index))
                found.append(item)
    return found


def _whole(path: Path) -> bool:
    return path == WINDOW or (len(path) == 2 and path[0] == WINDOWS)


def _taken(into: Located, source: Located, data: Any, path: Path, origin: Path | None = None) -> Any:
    """Return a value of `source` with all below it, and take over the places: those at `origin`, if it is elsewhere."""
    _placed(into, source, path, origin)
    origin = path if origin is None else origin
    for part, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        _taken(into, source, item, (*path, part), (*origin, part))
    return data


def _placed(into: Located, source: Located, path: Path, origin: Path | None = None) -> None:
    origin = path if origin is None else origin
    for places, given in ((into.values, source.values), (into.keys, source.keys)):
        if found := given.get(origin):
            places[path] = _seen_from(into, source, found)


def _seen_from(into: Located, source: Located, found: Position) -> Position:
    file = found.file or source.file
    return replace(found, file="" if file == into.file else file)


def without(document: Located, *paths: Path) -> Located:
    """Return the document without the keys at `paths`; the document itself isn't changed."""
    data = document.data
    for path in paths:
        data = _removed(data, path)
    return replace(document, data=data)


def _removed(data: Any, path: Path) -> Any:
    if not isinstance(data, dict) or path[0] not in data:
        return data
    rest = {key: value for key, value in data.items() if key != path[0]}
    return rest if len(path) == 1 else {key: _removed(v, path[1:]) if key == path[0] else v for key, v in data.items()}


def window_named(document: Located, windows: Located) -> tuple[Located, list[Mistake]]:
    """Return the document with the times of the window that it names, as `windows` defines them.

    Without such a window the name is a mistake, and left out.
    """
    name = document.at(WINDOW)
    if not isinstance(name, str):
        return document, []
    known = windows.at((WINDOWS,))
    times = known.get(name) if isinstance(known, dict) else None
    if times is None:
        return without(document, WINDOW), [_unknown(document, name, known)]
    found = replace(document, values=dict(document.values), keys=dict(document.keys))
    found.data = {**document.data, "rotation": {**document.data["rotation"], WINDOW[-1]: times}}
    _taken(found, windows, times, WINDOW, (WINDOWS, name))
    return found, []


def _unknown(document: Located, name: str, known: object) -> Mistake:
    names = sorted(known) if isinstance(known, Mapping) else []
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    meant = f"Did you mean {plain(near[0])}? " if near else ""
    there = f"Known here: {', '.join(names)}; {_DEFINED}." if names else f"No window has a name here; {_DEFINED}."
    problem = "no deploy window has this name"
    return document.mistake(WINDOW, problem, f"{meant}{there} Or {_WRITTEN}.", value=plain(f'"{name}"'))
