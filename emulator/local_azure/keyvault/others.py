"""Keys and certificates: a vault here has none, since none can be made (501); reads say so in Azure's words.

Source: recorded lists of azure-cli (2023) and the words that users report of a key or certificate that isn't there.
"""

from collections.abc import Callable, Iterator

from local_azure.wire import Call, Response, Route, ServiceError

KINDS = {"keys": "Key", "certificates": "Certificate"}
Guarded = Callable[[Call, str, str], None]
"""Checks a call as every operation of the vault: the data action's kind and name (``keys``, ``read``)."""


def other_routes(checked: Guarded) -> Iterator[Route]:
    """The reads of keys and certificates, and of deleted ones."""
    for kind, word in KINDS.items():
        of = _Absent(kind, word, checked)
        yield Route(f"keyvault.{kind}.list", "GET", f"/{kind}", of.none)
        if kind == "certificates":
            yield Route("keyvault.certificates.contacts", "GET", "/certificates/contacts", of.contacts)
            yield Route("keyvault.certificates.issuers", "GET", "/certificates/issuers", of.none)
            yield Route("keyvault.certificates.pending", "GET", "/certificates/{name}/pending", of.pending)
        yield Route(f"keyvault.{kind}.get", "GET", f"/{kind}/{{name}}", of.get)
        yield Route(f"keyvault.{kind}.versions", "GET", f"/{kind}/{{name}}/versions", of.none)
        yield Route(f"keyvault.{kind}.get", "GET", f"/{kind}/{{name}}/{{version}}", of.get)
        yield Route(f"keyvault.deleted{kind.capitalize()}.list", "GET", f"/deleted{kind}", of.none)
        yield Route(f"keyvault.deleted{kind.capitalize()}.get", "GET", f"/deleted{kind}/{{name}}", of.deleted)


class _Absent:
    """The reads of one kind."""

    def __init__(self, kind: str, word: str, checked: Guarded) -> None:
        self.kind, self.word, self._checked = kind, word, checked

    def none(self, call: Call) -> Response:
        self._checked(call, self.kind, "list")
        return Response.json(200, {"value": [], "nextLink": None})

    def get(self, call: Call) -> Response:
        self._checked(call, self.kind, "get")
        name, word = "/".join(call.params.values()), self.word.lower()
        message = (
            f"A {word} with (name/id) {name} was not found in this key vault. If you recently deleted this {word} you"
            " may be able to recover it using the correct recovery command. For help resolving this issue, please see"
            " https://go.microsoft.com/fwlink/?linkid=2125182"
        )
        raise ServiceError(404, f"{self.word}NotFound", message)

    def deleted(self, call: Call) -> Response:
        self._checked(call, self.kind, "get")
        raise ServiceError(404, f"{self.word}NotFound", f"Deleted {self.word} not found: {call['name']}")

    def pending(self, call: Call) -> Response:
        self._checked(call, self.kind, "get")
        message = f"Pending certificate not found: {call['name']}"
        raise ServiceError(404, "PendingCertificateNotFound", message)

    def contacts(self, call: Call) -> Response:
        self._checked(call, self.kind, "managecontacts")
        raise ServiceError(404, "ContactsNotFound", "Contacts not found")
