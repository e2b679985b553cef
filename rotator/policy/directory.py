"""Read a directory of policies, and find every mistake in all of them before anything else happens.

The mistakes are these: a text that is no YAML; keys and values that the model refuses; manifests that are missing or no container group;
two policies that would manage the same thing; a vault of another cloud; a name that nobody gave.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from pydantic import ValidationError

from rotator.cloud import CLOUDS, Cloud
from rotator.errors import Mistake, PolicyError
from rotator.policy import manifest
from rotator.policy.draft import Draft, completed, is_draft
from rotator.policy.located import Located, parse, plain
from rotator.policy.model import Policy, PolicyFile
from rotator.policy.rivals import rivals
from rotator.visible import argument

_SUFFIXES = (".yaml", ".yml")
LARGEST = 1 << 20
"""Bytes of a policy or manifest; thousands of container groups take fewer, and more would take minutes to read."""


def load(directory: Path | str, names: Collection[str] = (), cloud: str | None = None, *, required: bool = True) -> tuple[Policy, ...]:
    """The policies of a directory, sorted by name: those called `names`, or all. Raises PolicyError with every mistake in all files.

    `cloud` is the one that rotator will ask, where that is known: a policy whose vault is in another one is a mistake.
    `required`: that there is none, or no such directory, is a mistake, too.
    A policy is a ``*.yaml`` or ``*.yml`` directly in `directory` that no other file there names as its manifest. A draft is a mistake where it
    is meant.
    """
    policies = list[Policy]()
    wrong = list[Mistake]()
    for found, document in _loaded(directory, names, cloud, required=required):
        if isinstance(found, Policy):
            policies.append(found)
        else:
            remedy = f"Run `rotator provision {argument(found.name)}`, which finds or makes the application and writes its app_id here."
            wrong.append(document.mistake(("principal",), "a draft: app_id is missing", remedy))
    if wrong:
        raise PolicyError(tuple(wrong))
    return tuple(policies)


def load_draft(directory: Path | str, name: str, cloud: str | None = None) -> Policy | Draft:
    """The one policy called `name`, which may be a draft. Raises PolicyError as :func:`load`."""
    return _loaded(directory, (name,), cloud, required=True)[0][0]


def _loaded(directory: Path | str, names: Collection[str], cloud: str | None, *, required: bool) -> list[tuple[Policy | Draft, Located]]:
    documents, wrong = _documents(Path(directory), required=required)
    policies: list[tuple[Policy | Draft, Located]] = []
    for document in documents:
        policy, found = _policy(document)
        policies += [(policy, document)] if policy else []
        wrong += found
    wrong += [*rivals(documents), *_abroad(documents, CLOUDS.get(cloud or "")), *_strangers(documents, names, str(directory))]
    if wrong:
        raise PolicyError(tuple(sorted(wrong, key=lambda one: (one.file, one.line, one.column, one.path))))
    return sorted(((policy, document) for policy, document in policies if not names or policy.name in names), key=lambda each: each[0].name)


def _documents(directory: Path, *, required: bool) -> tuple[list[Located], list[Mistake]]:
    if not directory.exists() and not required:
        return [], []
    if not directory.is_dir():
        return [], [Mistake(str(directory), 1, 1, "", "", "no such directory", "Name the one that has the policies with --policies.")]
    found: list[Located] = []
    wrong: list[Mistake] = []
    for file in sorted(file for file in directory.iterdir() if file.suffix in _SUFFIXES and not file.name.startswith(".")):
        try:
            _ensure_sayable(file)
            found.append(parse(_text(file), str(file)))
        except PolicyError as error:
            wrong += error.mistakes
    named = {file.resolve() for document in found for name in _manifests(document).values() if _is_file(file := _beside(document, str(name)))}
    found = [document for document in found if Path(document.file).resolve() not in named]
    if required and not found and not wrong:
        wrong.append(Mistake(str(directory), 1, 1, "", "", "no policy here", "Write one as a file NAME.yaml; the documentation begins with one."))
    return found, wrong


def _ensure_sayable(file: Path) -> None:
    """A policy is called by its file's name, on terminals and in logs: characters that these would obey have no place in it."""
    if not file.name.isprintable():
        shown = ascii(file.name)[1:-1]
        raise PolicyError((Mistake(str(file.parent / shown), 1, 1, "", "", "a file name with characters that can't be printed", "Rename the file."),))


def _text(file: Path) -> str:
    try:
        kind = file.stat()
        if not (S_ISREG(kind.st_mode) or S_ISDIR(kind.st_mode)):
            raise PolicyError((Mistake(str(file), 1, 1, "", "", "not a file", "Write a plain file; nothing is read from a device or a pipe."),))
        if kind.st_size > LARGEST:
            raise PolicyError((Mistake(str(file), 1, 1, "", "", f"larger than {LARGEST >> 20} MiB", "Split it: a policy is about one principal."),))
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError((Mistake(str(file), 1, 1, "", "", "not UTF-8 text", "Save it as UTF-8."),)) from None
    except OSError as error:
        raise PolicyError((Mistake(str(file), 1, 1, "", "", f"can't be read: {error.strerror}", "Make the file readable."),)) from None


def _policy(document: Located) -> tuple[Policy | Draft | None, list[Mistake]]:
    if not isinstance(document.data, dict):
        remedy = "Begin with the keys principal, registries and key_vault; a manifest belongs into a directory below."
        return None, [*document.mistakes, document.mistake((), "not a policy: it has no keys", remedy)]
    data, wrong = _with_manifests(document)
    try:
        draft = is_draft(data)
        parsed = PolicyFile.model_validate(completed(data) if draft else data)
    except ValidationError as error:
        from rotator.policy.mistakes import mistakes

        return None, [*document.mistakes, *wrong, *mistakes(document, error.errors())]
    if draft:
        name, found = Path(document.file).stem, [*document.mistakes, *wrong]
        return Draft(name, document.file, parsed.principal.display_name or "", parsed), found
    fields = {name: getattr(parsed, name) for name in PolicyFile.model_fields}
    return Policy.model_construct(**fields, name=Path(document.file).stem, file=document.file), [*document.mistakes, *wrong]


def _with_manifests(document: Located) -> tuple[dict[str, Any], list[Mistake]]:
    """The policy's data with its manifests read; one that can't be used is left out, and has its mistakes."""
    groups, wrong = document.data.get("container_groups"), list[Mistake]()
    if not isinstance(groups, list):
        return document.data, wrong
    filled = list(groups)
    for index, name in _manifests(document).items():
        read, found = _manifest(document, index, name)
        filled[index] = {**groups[index], "manifest": read}
        wrong += found
    return {**document.data, "container_groups": filled}, wrong


def _manifests(document: Located) -> dict[int, Any]:
    """What the container groups of a policy name as their manifests, by their index."""
    groups = document.at(("container_groups",))
    listed = enumerate(groups) if isinstance(groups, list) else ()
    return {index: group["manifest"] for index, group in listed if isinstance(group, dict) and group.get("manifest") is not None}


def _manifest(document: Located, index: int, name: object) -> tuple[Any, tuple[Mistake, ...]]:
    path = ("container_groups", index, "manifest")
    remedy = f"Write the name of a file, from {Path(document.file).parent}/ on: what `az container create --file` takes, or ARM JSON."
    if not isinstance(name, str):
        return None, (document.mistake(path, "not the name of a file", remedy),)
    file = _beside(document, name)
    if not _is_file(file):
        return None, (document.mistake(path, f"no such file: {plain(str(file))}", remedy, value=plain(name)),)
    try:
        return manifest.read(_text(file), str(file), str(document.at((*path[:-1], "id"))))
    except PolicyError as error:
        return None, error.mistakes


def _is_file(file: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file can have."""
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def _beside(document: Located, name: str) -> Path:
    return Path(document.file).parent / name


def _abroad(documents: list[Located], cloud: Cloud | None) -> Iterator[Mistake]:
    """Vaults of a cloud that isn't asked: its tenants, registries and container groups are others, even where names are equal."""
    path = ("key_vault", "url")
    for document in documents if cloud else ():
        url = str(document.at(path)).lower().rstrip("/")
        for other in CLOUDS.values():
            if other is not cloud and cloud and url.startswith("https://") and url.endswith(f".{other.vault_suffix}"):
                remedy = f"Run with --cloud {other.name} (or ROTATOR_CLOUD={other.name}), or write the URL of a vault at .{cloud.vault_suffix}."
                yield document.mistake(path, f"a vault of {other.shown}, and rotator is to ask {cloud.shown}", remedy)


def _strangers(documents: list[Located], names: Collection[str], directory: str) -> Iterator[Mistake]:
    from difflib import get_close_matches

    known = sorted(Path(document.file).stem for document in documents)
    for name in sorted(set(names) - set(known)) if known else ():
        near = get_close_matches(name, known, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        yield Mistake(directory, 1, 1, "", name, "no policy of that name", f"{meant}There are: {', '.join(known)}.")
