"""Finds the description of a request: the file, the path template and the operation."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local_azure.wire import Request

METHODS = ("get", "put", "post", "patch", "delete", "head")
HOSTS = {
    "resource-manager": re.compile(r"management\..*"),
    "keyvault": re.compile(r".*\.vault\..*"),
    "containerregistry": re.compile(r".*\.azurecr\..*"),
}
"""Hosts of a description's requests: Resource Manager, or one service's own."""


@dataclass(frozen=True)
class Operation:
    """One operation of one file, in one version."""

    method: str
    template: str
    version: str
    file: Path
    described: dict[str, Any]
    hosts: re.Pattern[str]
    pattern: re.Pattern[str]

    @property
    def path(self) -> str:
        """Template without the part that distinguishes variants (``?mode=chunk``)."""
        return self.template.split("?")[0].lower()

    @property
    def pointer(self) -> str:
        """Address of the operation in its file, as a URI."""
        place, within = self.template, "x-ms-paths" if "?" in self.template else "paths"
        place = place.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        return f"{self.file.as_uri()}#/{within}/{place}/{self.method.lower()}"

    @property
    def weight(self) -> tuple[int, bool]:
        """Number of spelled-out characters in the path: the larger one comes first."""
        return len(re.sub(r"\{.*?\}", "", self.path)), "/{scope}" not in self.path


class Catalogue:
    """Every operation in a directory of descriptions."""

    def __init__(self, directory: Path) -> None:
        found = [
            operation
            for file in sorted(directory.glob("**/specification/**/*.json"))
            for operation in _operations(file)
        ]
        self.operations = sorted(found, key=lambda operation: (operation.weight, operation.version), reverse=True)

    def find(self, request: Request) -> list[Operation]:
        """Return the operation of a request, with its variants, in the requested version if described, else in the
        newest.
        """
        path = re.sub(r"/{2,}", "/", request.path)
        fits = [
            o
            for o in self.operations
            if o.method == request.method and o.hosts.fullmatch(request.host) and o.pattern.fullmatch(path)
        ]
        best = [o for o in fits if o.path == fits[0].path]
        asked = request.query.get("api-version")
        version = asked if asked in {o.version for o in best} else best[0].version if best else None
        return [o for o in best if o.version == version]


@cache
def read(file: Path) -> Any:
    """Return the content of a file of descriptions, which doesn't change during a run."""
    return json.loads(file.read_text())


def _operations(file: Path) -> Iterator[Operation]:
    if "examples" in file.parts:
        return
    hosts = next((pattern for name, pattern in HOSTS.items() if name in file.parts), None)
    content = read(file)
    for template, item in {**content.get("paths", {}), **content.get("x-ms-paths", {})}.items():
        if re.fullmatch(r"/\{\w+\}", template.split("?")[0]):
            continue  # a path by a whole id would describe every path
        for method in METHODS:
            if method in item and hosts:
                wide = _wide([*item.get("parameters", []), *item[method].get("parameters", [])])
                pattern = _pattern(template.split("?")[0], wide)
                yield Operation(
                    method.upper(), template, content["info"]["version"], file, item[method], hosts, pattern
                )


def _wide(parameters: list[dict[str, Any]]) -> set[str]:
    """Return the parameters that may hold slashes: a scope, or the name of a repository."""
    return {"name", *(p["name"] for p in parameters if p.get("x-ms-skip-url-encoding"))}


def _pattern(template: str, wide: set[str]) -> re.Pattern[str]:
    made = ""
    for part in re.split(r"(\{.*?\})", template):
        if not part.startswith("{"):
            made += re.escape(part)
        else:
            made += ".+" if part[1:-1] in wide else "[^/]*"
    return re.compile(made.removesuffix("/") + "/?", re.IGNORECASE)
