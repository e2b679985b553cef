"""Judge of an exchange with Graph, by Graph's metadata: names, types and nulls of its objects.

The type of an answer follows from the path; in a collection of mixed objects each names its own in ``@odata.type``. The
metadata doesn't describe status codes, errors, and required properties of an answer: they aren't judged.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_azure.wire import Request, Response

from descriptions.judge import Finding
from descriptions.metadata import SPACE, Kind, Metadata

_HOST = re.compile(r"graph\.microsoft\..*|microsoftgraph\.chinacloudapi\.cn|(dod-)?graph\.microsoft\.us")
_ONE = r"(/[^/()$]+|\([^()]+\))"
_SETS = {
    "applications": "application",
    "serviceprincipals": "servicePrincipal",
    "policies/appmanagementpolicies": "appManagementPolicy",
}
_SINGLE = {"/policies/defaultappmanagementpolicy": "tenantAppManagementPolicy"}
_PATH = re.compile(rf"/(?P<set>{'|'.join(_SETS)})(?P<one>{_ONE})?(/(?:microsoft\.graph\.)?(?P<below>\w+))?")
_DELETED = re.compile(r"/directory/deleteditems/(?:microsoft\.)?graph\.(?P<kind>application|serviceprincipal)")
_LIST = "Collection(%s)"


class GraphJudge:
    """Judge of one exchange, by the metadata in a directory."""

    def __init__(self, directory: Path) -> None:
        self.metadata = Metadata.of(directory)
        self._names = {name.lower(): name for name in self.metadata.kinds}

    def judge(self, request: Request, response: Response) -> list[Finding] | None:
        """Return the differences from the metadata; None for an exchange without a description."""
        if not _HOST.fullmatch(request.host) or response.status >= 400 or not self.metadata.kinds:
            return None
        path = re.sub(r"^/+(v1\.0|beta)", "", request.path).rstrip("/")
        template = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)
        said = list(self._said(request.method, path, request.body, response.body))
        if not said:
            return None
        return sorted(
            {Finding(f"{request.method} {template}", response.status, *each) for each in said if each != NOTHING}
        )

    def _said(self, method: str, path: str, asked: bytes, answer: bytes) -> Iterator[tuple[str, str]]:
        """Yield findings, and NOTHING for each object read, so that an object without a finding differs from an unread
        one.
        """
        given, taken = self._expected(method, path.lower())
        content = _content(answer)
        if taken:
            yield NOTHING
            yield from self.metadata.members(taken, _content(asked) or {}, "request ")
        if given and content is not None:
            yield NOTHING
            yield from self._held(given, content)
        elif isinstance(content, dict):
            listed = content.get("value")
            for item in [content, *(listed if isinstance(listed, list) else [])]:
                yield from self._by_itself(item)

    def _expected(self, method: str, path: str) -> tuple[str | None, Kind | None]:
        """Return the type of the answer, and the type of the request; None if the path doesn't tell."""
        if path in _SINGLE:
            return _SINGLE[path], None
        if deleted := _DELETED.fullmatch(path):
            return _LIST % self._names.get(deleted["kind"]), None
        found = _PATH.fullmatch(path)
        if not found:
            return None, None
        kind = self.metadata.kinds.get(_SETS[found["set"]])
        if kind is None or found["below"]:
            return self._below(method, kind, found["below"])
        return (kind.name if found["one"] or method == "POST" else _LIST % kind.name), (
            kind if method in ("POST", "PATCH", "PUT") else None
        )

    def _below(self, method: str, kind: Kind | None, name: str) -> tuple[str | None, Kind | None]:
        """Return the types of an action, or of the objects below an object."""
        action = next((each for known, each in self.metadata.actions.items() if known.lower() == name), None)
        if method == "POST" and action:
            return action.answers, Kind(name, open=False, properties=action.takes, navigation={})
        leads = next((of for known, of in kind.navigation.items() if known.lower() == name), "") if kind else ""
        inner = SPACE.sub("", leads.removeprefix("Collection(").rstrip(")"))
        return (leads if method == "GET" and inner in self.metadata.kinds else None), None

    def _held(self, kind: str, content: Any) -> Iterator[tuple[str, str]]:
        if not kind.startswith("Collection("):
            yield from self.metadata.wrong(kind, content, "")
        elif isinstance(content, dict):
            yield from self.metadata.wrong(kind, content.get("value"), ".value", nullable=False)
        else:
            yield "", "is no page of a collection"

    def _by_itself(self, item: Any) -> Iterator[tuple[str, str]]:
        named = SPACE.sub("", str(item.get("@odata.type", "")).lstrip("#")) if isinstance(item, dict) else ""
        if named in self.metadata.kinds:
            yield NOTHING
            yield from self.metadata.wrong(named, item, f"<{named}>")


NOTHING = ("", "")


def _content(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
