"""Defaults that policies extend: `_defaults.yaml` of their directory, laid over those of the directories above.

A mistake in one of these files concerns every policy that extends it, and none of them is read without.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from rotator.cloud import CLOUDS, Cloud
from rotator.errors import Mistake, PolicyError
from rotator.policy import files
from rotator.policy.draft import NOBODY
from rotator.policy.inheritance import DEFAULTS, WINDOW, WINDOWS, over, window_named, without
from rotator.policy.located import Located, dotted, plain
from rotator.policy.model import PolicyFile
from rotator.policy.rotation import DeployWindow
from rotator.policy.rules import REGISTRY
from rotator.policy.values import parse

_EACH = "It can't be a default: {why} Write it in each policy."
OWN: dict[tuple[str, ...], str] = {
    ("principal", "app_id"): "every principal has one policy.",
    ("principal", "display_name"): "every application has one policy.",
    ("key_vault", "password_secret"): "every password has a secret of its own.",
    ("key_vault", "username_secret"): "every user name has a secret of its own.",
    ("container_groups",): "a group belongs to the policy of its principal.",
    ("discover", "redeploy"): "it restarts groups that no policy declares.",
    ("discover", "unseen"): "it may remove a password that a group still holds.",
}
"""Keys that only a policy itself can have, with the reason."""
_MISNAMED = ("_defaults.yml", "_defaults.YAML", "_default.yaml", "_default.yml")


@dataclass(frozen=True, slots=True)
class Defaults:
    """Defaults of one directory, with those that it extends."""

    document: Located
    """Keys that policies inherit, without the forbidden ones."""
    subscriptions: tuple[str, ...] = ()
    """Subscriptions that policies look in, beside their own."""
    mistakes: tuple[Mistake, ...] = ()
    text: str | None = field(default="", repr=False)
    """Text of all files, as far as it can be read; None if one can't be."""


NOTHING = Defaults(Located("", {}))


@dataclass(slots=True)
class Shelf:
    """Defaults of a tree of directories, each read once."""

    root: File
    cloud: Cloud | None
    known: dict[File, Defaults] = field(default_factory=dict)

    def of(self, directory: File) -> Defaults:
        """Return the defaults of the policies in a directory of the tree."""
        if directory not in self.known:
            above = NOTHING if directory == self.root else self.of(directory.parent)
            self.known[directory] = self._read(directory, above)
        return self.known[directory]

    def _read(self, directory: File, above: Defaults) -> Defaults:
        wrong = [_misnamed(directory / name) for name in _MISNAMED if _there(directory / name)]
        file = directory / DEFAULTS
        if not _there(file):
            return replace(above, mistakes=(*above.mistakes, *wrong)) if wrong else above
        shown = str(self.root / plain(str(file.relative_to(self.root)), 300))
        content = files.content(file, shown)
        text = None if content.text is None or above.text is None else f"{above.text}\n{content.text}"
        try:
            if content.mistake:
                raise PolicyError((content.mistake,))
            document = parse(content.text or "", shown)
        except PolicyError as error:
            return replace(above, mistakes=(*above.mistakes, *error.mistakes), text=text)
        found = self._understood(document, above)
        return replace(found, mistakes=(*above.mistakes, *wrong, *found.mistakes), text=text)

    def _understood(self, document: Located, above: Defaults) -> Defaults:
        if document.data is None:
            document.data = {}
        if not isinstance(document.data, dict):
            remedy = "Write keys that policies have, such as key_vault and rotation, or leave the file empty."
            return replace(above, mistakes=(document.mistake((), "not defaults: it has no keys", remedy),))
        own = [document.mistake(path, "not to be inherited", _why(path), key=True) for path in _found(document)]
        merged = over(above.document, without(document, *OWN))
        wrong, subscriptions = _checked(merged)
        mistakes = (*document.mistakes, *own, *wrong, *abroad(merged, self.cloud))
        return Defaults(merged, subscriptions, tuple(dict.fromkeys(mistakes)))


def _there(file: File) -> bool:
    """Tell if a directory has a file; one that can't be looked at is there, and then can't be read."""
    try:
        return file.is_symlink() or file.exists()
    except OSError:
        return True


def _misnamed(file: File) -> Mistake:
    return Mistake(
        str(file),
        1,
        1,
        "",
        "",
        f"defaults are called {DEFAULTS}",
        "Rename the file; a file with this name is not read.",
    )


def _why(path: tuple[str, ...]) -> str:
    return _EACH.format(why=OWN[path])


def _found(document: Located) -> Iterator[tuple[str, ...]]:
    return (path for path in OWN if path in document.keys)


def _checked(merged: Located) -> tuple[list[Mistake], tuple[str, ...]]:
    """Return the mistakes of defaults as a policy would have them that says nothing beside, and the subscriptions."""
    times = list(_windows(merged))
    found, unnamed = window_named(without(merged, (WINDOWS,)), merged)
    try:
        parsed = PolicyFile.model_validate(_completed(found.data))
    except ValidationError as error:
        from rotator.policy.mistakes import described

        return [*times, *unnamed, *described(found, error.errors())], ()
    return [*times, *unnamed], parsed.discover.subscriptions


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults with placeholder values for the fields that every policy has to set."""
    principal, vault = data.get("principal", {}), data.get("key_vault", {})
    stand_in = {"url": "https://vault.vault.azure.net", "password_secret": "name"}
    return {
        **data,
        "principal": {**principal, "app_id": NOBODY} if isinstance(principal, dict) else principal,
        "registries": data.get("registries", [{"id": REGISTRY.example}]),
        "key_vault": {**stand_in, **vault} if isinstance(vault, dict) else vault,
    }


def _windows(merged: Located) -> Iterator[Mistake]:
    """Yield the mistakes of named windows, whether a policy uses them or not."""
    named = merged.at((WINDOWS,))
    if WINDOWS in merged.data and not isinstance(named, dict):
        yield merged.mistake(
            (WINDOWS,), "no windows by name", "Write below it: NAME: {cron: 0 2 * * SAT, duration: 4h}."
        )
        return
    for name in named or ():
        try:
            DeployWindow.model_validate(named[name])
        except ValidationError as error:
            yield from _of_window(merged, name, error)


def _of_window(merged: Located, name: str, error: ValidationError) -> Iterator[Mistake]:
    """Describe a window's mistakes as those of a policy's own, at the place of the definition."""
    from rotator.policy.mistakes import described

    named = replace(merged, data={"rotation": {WINDOW[-1]: name}}, mistakes=[])
    found, _ = window_named(named, merged)
    shown = [{**each, "loc": (*WINDOW, *each["loc"])} for each in error.errors()]
    for mistake in described(found, shown):  # type: ignore[arg-type]
        yield replace(mistake, path=mistake.path.replace(dotted(WINDOW), f"{WINDOWS}.{plain(name)}", 1))


def abroad(document: Located, cloud: Cloud | None) -> Iterator[Mistake]:
    """Yield a mistake for a vault of another cloud than `cloud`.

    Tenants, registries and container groups of another cloud are other objects, even with equal names.
    """
    path = ("key_vault", "url")
    url = str(document.at(path)).lower().rstrip("/")
    for other in CLOUDS.values() if cloud else ():
        if other is not cloud and cloud and url.startswith("https://") and url.endswith(f".{other.vault_suffix}"):
            remedy = (
                f"Run with --cloud {other.name} (or ROTATOR_CLOUD={other.name}), or write the URL of a vault at"
                f" .{cloud.vault_suffix}."
            )
            yield document.mistake(path, f"a vault of {other.shown}, but rotator works in {cloud.shown}", remedy)
