"""Passwords of applications and service principals."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from local_azure.graph import odata, passwords, shape
from local_azure.graph.access import KEYS, DirectoryAccess
from local_azure.graph.objects import Holder, Home
from local_azure.graph.refusals import bad_value
from local_azure.wire import Call, Response, Route

HOMES: tuple[Home, ...] = ("applications", "servicePrincipals")


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """``addPassword`` and ``removePassword``; keys are refused by name."""
    of = _Passwords(access)
    for home in HOMES:
        for key in KEYS:
            path = f"/v1.0/{home}{key}"
            yield Route(f"graph.{home}.addPassword", "POST", f"{path}/addPassword", partial(of.add, home))
            yield Route(f"graph.{home}.removePassword", "POST", f"{path}/removePassword", partial(of.remove, home))


@dataclass(frozen=True, slots=True)
class _Passwords:
    access: DirectoryAccess

    def add(self, home: Home, call: Call) -> Response:
        body = odata.members(call)
        name, start, end = passwords.asked(body)
        holder = self._holder(home, call)
        key = passwords.key_of(body, holder)
        added = self.access.directory.add_password(holder, name, start, end, key=key, actor=call.who.oid)
        context = f"{odata.metadata(call)}#microsoft.graph.passwordCredential"
        shown = {"@odata.context": context, **shape.password(added, added.secret)}
        return odata.answer(200, shown, {"Location": f"https://{call.request.host}"})

    def remove(self, home: Home, call: Call) -> Response:
        key_id = odata.members(call).get("keyId")
        if not isinstance(key_id, str):
            raise bad_value("keyId", "PasswordCredential")
        self.access.directory.remove_password(self._holder(home, call), key_id)
        return odata.done()

    def _holder(self, home: Home, call: Call) -> Holder:
        return cast("Holder", self.access.writable(home, call))
