"""Manifests: files deploying a container group, as a policy names them.

A manifest is the file of `az container create --file`, or an ARM template with or without a parameters file beside it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any
from urllib.parse import urlsplit

from rotator.cloud import of_vault
from rotator.errors import Mistake, PolicyError
from rotator.policy import files
from rotator.policy.arm_expression import looks_like_one
from rotator.policy.arm_functions import Target
from rotator.policy.arm_resources import container_group
from rotator.policy.arm_template import ANYWHERE, Template
from rotator.policy.groups import Manifest
from rotator.policy.located import Located, Path, plain, texts
from rotator.policy.manifest import unknown_placeholders
from rotator.policy.manifest_names import beside, is_file
from rotator.policy.resource import Resource
from rotator.policy.values import AZ, JSON, parse
from rotator.remedy import CREATE_GROUP, EXPORT_GROUP, SHOW_GROUP, build_bicep, build_bicep_parameters
from rotator.resource_id import ArmId

_BEGINS_AS_JSON = re.compile(r"\s*(?:\{|//|/\*)")
_OF_TEMPLATES = re.compile(r'"(?:\$schema|contentVersion)"\s*:')
_NOT_JSON = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|//[^\n]*|/\*.*?(?:\*/|\Z)|\t', re.DOTALL)
"""A text in quotes, or what YAML's grammar doesn't know of ARM's JSON: comments and tabs."""
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9 ]{1,60}")
_STRANGERS = {
    "principal": ("a policy, where the manifest of a container group is expected", "Name the manifest."),
    "containers": (
        f"a container group without properties: the output of `{SHOW_GROUP}`, which no command reads",
        f"Write what `{EXPORT_GROUP} --file` writes.",
    ),
    "parameters": (
        "only the parameters of an ARM template, without its resources",
        "Name the template as `file:`, and this file as `parameters:`.",
    ),
    "services": ("a Docker Compose file", f"Write what `{CREATE_GROUP} --file` takes."),
    "kind": ("a manifest of Kubernetes", f"Write what `{CREATE_GROUP} --file` takes."),
    "jobs": ("a pipeline", f"Write what `{CREATE_GROUP} --file` takes."),
}
"""Documents that are named by mistake, by a key at their top: problem and remedy."""
_PLACEHOLDER = "Write ${{ keyvault:NAME }}, ${{ credential:password }} or ${{ credential:username }}."


@dataclass(frozen=True, slots=True)
class Read:
    """Manifest file, read once for all groups naming the file; `mistakes` concern every such group.

    `body` is sent, if the file is one container group; a template is evaluated for each group that names it.
    """

    file: str
    found: Located | None = None
    body: Mapping[str, Any] | None = None
    mistakes: tuple[Mistake, ...] = ()

    @classmethod
    def of(cls, text: str, file: str, region: str = "") -> "Read":
        """Read `text`, with all mistakes; one mistake if neither YAML nor JSON.

        `region` is the resource group's: az deploys a group without a location there.
        """
        try:
            found = _parsed(text, file)
        except PolicyError as error:
            return cls(file, mistakes=error.mistakes)
        if _is_template(found.data):
            return cls(file, found, mistakes=tuple(found.mistakes))
        if wrong := _other(found):
            return cls(file, mistakes=(*found.mistakes, wrong))
        content = {**found.data, "location": region} if region and found.data.get("location") is None else found.data
        body, mistakes = Resource(found, (), content).body()
        mistakes += [*_placeholders(found, (), body), *_copied(found, body)]
        return cls(file, found, body, (*found.mistakes, *mistakes))

    def manifest(
        self, group_id: ArmId, parameters: Located | None = None, target: Target = ANYWHERE
    ) -> tuple[Manifest | None, tuple[Mistake, ...]]:
        """Return the manifest of one group, or the mistakes of this group alone; `target` is what its policy says."""
        if self.found is None:
            return None, ()
        body, own = self.body, list[Mistake]()
        if body is None:
            body, own = _of_template(Template(self.found, parameters, group_id, target))
        else:
            own += _name(self.found, (), body, group_id.name)
        usable = body is not None and not own and not self.mistakes
        return Manifest(self.file, body) if usable and body is not None else None, tuple(own)


def _of_template(template: Template) -> tuple[Mapping[str, Any] | None, list[Mistake]]:
    """Return the body of the container group in a template, and the mistakes."""
    chosen = container_group(template)
    if chosen is None or template.mistakes:
        return None, template.mistakes
    found, path, content = chosen
    body, mistakes = Resource(found, path, content, template=True).body()
    named = _name(found, path, body, template.group_id.name)
    return body, [*mistakes, *_placeholders(found, path, body), *named]


def _parsed(text: str, file: str) -> Located:
    """Return the file's document: JSON with comments if it is an ARM template, else what az reads."""
    if not _BEGINS_AS_JSON.match(text):
        return parse(text, file, AZ)
    if _OF_TEMPLATES.search(text):
        return parse(_json(text), file, JSON)
    try:
        found = parse(text, file, AZ)
    except PolicyError:
        return parse(_json(text), file, JSON)
    return parse(_json(text), file, JSON) if _is_template(found.data) else found


def _json(text: str) -> str:
    """Return ARM's JSON without comments and tabs; every other character keeps its line and column."""
    return _NOT_JSON.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)


def parameters(text: str, file: str) -> Located:
    """Read a parameters file, with `parameters` at the top or, as az takes it too, without. Raises PolicyError."""
    found = parse(_json(text), file, JSON)
    given = found.data if isinstance(found.data, dict) else {}
    if not given or any(not (isinstance(each, dict) and {"value", "reference"} & {*each}) for each in given.values()):
        return found
    keys, values = ({("parameters", *path): at for path, at in part.items()} for part in (found.keys, found.values))
    return Located(file, {"parameters": given}, keys, values, found.mistakes)


def _is_template(data: object) -> bool:
    """Tell if a document is an ARM template: it has `resources`, and is not a resource itself."""
    return isinstance(data, dict) and "properties" not in data and isinstance(data.get("resources"), list | dict)


def _other(found: Located) -> Mistake | None:
    """Return the mistake of a document that is not one container group."""
    if not isinstance(found.data, dict):
        remedy = f"Write what `{EXPORT_GROUP} --file` writes, or an ARM template with one container group."
        return found.mistake((), "not one container group", remedy)
    for name, (problem, remedy) in _STRANGERS.items():
        if name in found.data and (name == "principal" or "properties" not in found.data):
            return found.mistake((name,), problem, remedy, key=True)
    return None


def _placeholders(found: Located, path: Path, body: Mapping[str, Any]) -> Iterator[Mistake]:
    for inside in unknown_placeholders(body):
        yield found.mistake((*path, *inside), "not a known placeholder", _PLACEHOLDER)


def _copied(found: Located, body: Mapping[str, Any]) -> Iterator[Mistake]:
    for path, text in texts(body):
        if looks_like_one(text):
            problem = "an expression of an ARM template, in a file that is not a template: it would be sent unevaluated"
            yield found.mistake(path, problem, "Write its value, or the whole template.")


def _name(found: Located, path: Path, body: Mapping[str, Any], name: str) -> Iterator[Mistake]:
    called = body.get("name")
    if called is not None and str(called).lower() != name.lower():
        problem = f"not the name of the group in the policy, which is {plain(name)}"
        yield found.mistake((*path, "name"), problem, f"Write {plain(name)}, or correct the id in the policy.")


@dataclass(slots=True)
class Files:
    """Manifests and parameters files named by one policy, each read once."""

    policy: Located
    known: dict[tuple[File, str], Read] = field(default_factory=dict)
    given: dict[File, Located | Mistake] = field(default_factory=dict)

    def manifest(self, index: int, named: object) -> tuple[Manifest | None, list[Mistake]]:
        """Return the manifest of a container group, and its mistakes.

        Mistakes of the file itself are reported once, for the first group naming the file.
        """
        path = ("container_groups", index, "manifest")
        name, given, region, wrong = self._names(path, named)
        if name is None:
            return None, wrong
        key = beside(self.policy, name), region
        told = () if key in self.known else self.known.setdefault(key, _opened(*key)).mistakes
        values = self._parameters(beside(self.policy, given)) if given else None
        if given and self.known[key].body is not None:
            problem = "parameters for a file that is not an ARM template"
            return None, [*told, self.policy.mistake((*path, "parameters"), problem, "Remove them.")]
        if isinstance(values, Mistake):
            return None, [*told, values]
        group_id = ArmId(self.policy.at((*path[:-1], "id")))
        read, own = self.known[key].manifest(group_id, values, self._target(region))
        return read, [*told, *own]

    def _target(self, region: str) -> Target:
        """Return what the policy says of the place of a deployment."""
        host = urlsplit(str(self.policy.at(("key_vault", "url")))).hostname or ""
        with suppress(ValueError):
            return Target(host.partition(".")[0], of_vault(host), region)
        return Target(host.partition(".")[0], None, region)

    def _names(self, path: Path, named: object) -> tuple[str | None, str | None, str, list[Mistake]]:
        """Return the names of the manifest and of its parameters file, and the region of its resource group."""
        if not isinstance(named, dict):
            wrong = self._no_file(path, named)
            return (None if wrong else str(named)), None, "", wrong
        known = {"file", "parameters", "location"}
        remedy = "Write `{file: NAME.json, parameters: NAME.parameters.json, location: REGION}`, as far as needed."
        wrong = [
            self.policy.mistake((*path, name), "unknown key", remedy, key=True) for name in named if name not in known
        ]
        for name in ("file", "parameters"):
            wrong += self._no_file((*path, name), named.get(name)) if name in named or name == "file" else []
        region, here = named.get("location"), (*path, "location")
        if "location" in named and not (isinstance(region, str) and _REGION.fullmatch(region)):
            wrong.append(self.policy.mistake(here, "not a region", "Write its name, for example `westeurope`."))
        said = re.sub(" ", "", str(region or "")).lower()
        return (None if wrong else named["file"]), named.get("parameters"), said, wrong

    def _no_file(self, path: Path, name: object) -> list[Mistake]:
        remedy = (
            f"Write the name of a file, from {File(self.policy.file).parent}/ on: what `{CREATE_GROUP} --file` takes,"
            " or ARM JSON."
        )
        if not isinstance(name, str):
            return [self.policy.mistake(path, "not the name of a file", remedy)]
        file = beside(self.policy, name)
        if not is_file(file):
            return [self.policy.mistake(path, f"no such file: {plain(str(file))}", remedy, value=plain(name))]
        return []

    def _parameters(self, file: File) -> Located | Mistake:
        if file not in self.given:
            self.given[file] = _given(file)
        return self.given[file]


def _given(file: File) -> Located | Mistake:
    if bicep := _bicep(file):
        return bicep
    found = files.content(file)
    if found.mistake:
        return found.mistake
    try:
        read = parameters(found.text or "", str(file))
    except PolicyError as error:
        return error.mistakes[0]
    return read.mistakes[0] if read.mistakes else read


def _opened(file: File, region: str) -> Read:
    if bicep := _bicep(file):
        return Read(str(file), mistakes=(bicep,))
    found = files.content(file)
    if found.mistake:
        return Read(str(file), mistakes=(found.mistake,))
    return Read.of(found.text or "", str(file), region)


def _bicep(file: File) -> Mistake | None:
    """Return the mistake of a file that isn't compiled yet."""
    commands = {".bicep": build_bicep, ".bicepparam": build_bicep_parameters}
    if command := commands.get(file.suffix.lower()):
        remedy = f"Compile it with `{command(str(file))}`, and name the JSON that comes out."
        return Mistake(str(file), 1, 1, "", "", "a Bicep file, which isn't read", remedy)
    return None
