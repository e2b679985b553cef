"""Check of leases and queues of Azure Storage (azure-facts I). Claims on Azure Functions are not played."""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from re import findall
from urllib.parse import quote

from live.azure import Answer, Stopped
from live.claims import Probe
from live.ground import SLOW
from live.scene import Scene
from rotator.cloud import STORAGE_SCOPE

VERSION = "2021-12-02"
ROLES = ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "974c5e8b-45b9-4653-ba55-5f855dd0fb88")
"""Storage Blob Data Contributor and Storage Queue Data Contributor."""
FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
Ask = Callable[..., Answer]


def i(scene: Scene, probe: Probe) -> None:
    """Make a storage account, and play leases and messages with it."""
    path = f"{scene.group_path}/providers/Microsoft.Storage/storageAccounts/{scene.marks.short}"
    bad = scene.azure.arm("PUT", path + "-1", _account(scene))
    probe.claim("an account's name takes letters and digits only", bad, bad.status == 400)
    scene.put(path, _account(scene), "The storage account")
    for role in ROLES:
        scene.assigned(path, role, scene.object_id)
    host = f"{scene.marks.short}.blob.{scene.azure.cloud.storage_suffix}"
    _made(scene, f"https://{host}/leases?restype=container", "A container")
    _leases(partial(_sent, scene, f"https://{host}/leases/one"), scene, probe)
    host = f"{scene.marks.short}.queue.{scene.azure.cloud.storage_suffix}"
    _made(scene, f"https://{host}/names", "A queue")
    _messages(partial(_sent, scene, f"https://{host}/names/messages"), scene, probe)
    probe.unseen("a timer and an HTTP request of a function app end when they should", "no function app is made")


def _account(scene: Scene) -> dict[str, object]:
    properties = {"allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2"}
    return scene.tagged(sku={"name": "Standard_LRS"}, kind="StorageV2", properties=properties)


def _sent(scene: Scene, url: str, method: str, query: str = "", text: str = "", **headers: str) -> Answer:
    """Send a request to the account's data plane, as the run's identity."""
    bearer = f"Bearer {scene.azure.credential.token(STORAGE_SCOPE)}"
    named = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    plain = {"Authorization": bearer, "x-ms-version": VERSION, "Content-Type": "application/xml", **named}
    return scene.azure.send(method, url + query, text=text, headers=plain)


def _made(scene: Scene, url: str, what: str) -> None:
    """Make a container or a queue, when the role has come to be heeded. Raises Stopped."""
    made = scene.azure.until(lambda: _sent(scene, url, "PUT"), lambda each: each.status != 403, SLOW, 10)
    if made.status not in (201, 204, 409):
        raise Stopped(f"{what} could not be made", made)


def _leases(ask: Ask, scene: Scene, probe: Probe) -> None:
    ask("PUT", blob_type="BlockBlob")
    lease = partial(ask, "PUT", "?comp=lease")
    short = lease(lease_action="acquire", lease_duration="14", proposed_lease_id=FIRST)
    probe.claim("a lease lasts 15 seconds or more", short, short.status == 400)
    first = lease(lease_action="acquire", lease_duration="15", proposed_lease_id=FIRST)
    probe.claim("a lease has the id that was proposed", first, _lease(first) == (201, FIRST))
    again = lease(lease_action="acquire", lease_duration="15", proposed_lease_id=FIRST)
    probe.claim("taken again under the same id it is renewed", again, _lease(again) == (201, FIRST))
    other = lease(lease_action="acquire", lease_duration="15", proposed_lease_id=SECOND)
    probe.claim(
        "while it is held another is 409 LeaseAlreadyPresent", other, _code(other) == (409, "LeaseAlreadyPresent")
    )
    named = ask("PUT", "?comp=metadata", meta_who="me", lease_id=FIRST)
    probe.claim("metadata can be written under a lease", named, named.status == 200)
    scene.clock.sleep(20)
    late = lease(lease_action="renew", lease_id=FIRST)
    probe.claim("one that ran out can be renewed while the blob is as it was", late, late.status == 200)
    lease(lease_action="release", lease_id=FIRST)
    gone = lease(lease_action="renew", lease_id=FIRST)
    known = _code(gone) == (409, "LeaseIdMismatchWithLeaseOperation")
    probe.claim("after a release a renewal is 409 LeaseIdMismatchWithLeaseOperation", gone, known)


def _lease(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.header("x-ms-lease-id").lower()


def _code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.header("x-ms-error-code")


def _messages(ask: Ask, scene: Scene, probe: Probe) -> None:
    text = b64encode(b"policy").decode()
    put = ask("POST", text=f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>")
    span = findall(r"<(?:InsertionTime|ExpirationTime)>[^<]*", str(put.body))
    probe.claim("a message says when it ends", put, put.status == 201 and len(span) == 2)
    many = ask("GET", "?numofmessages=33")
    probe.claim("one look shows 32 messages at most", many, many.status == 400)
    first = ask("GET", "?numofmessages=32&visibilitytimeout=5")
    receipts = findall(r"<MessageId>([^<]*)</MessageId>.*?<PopReceipt>([^<]*)</PopReceipt>", str(first.body))
    second = ask("GET", "?numofmessages=32")
    probe.claim("a message that was taken is kept from others", second, _taken(second) == 0 and len(receipts) == 1)
    scene.clock.sleep(8)
    third = ask("GET", "?numofmessages=32&visibilitytimeout=30")
    probe.claim("it is shown again after its time-out", third, _taken(third) == 1)
    for identifier, receipt in receipts:
        late = ask("DELETE", f"/{identifier}?popreceipt={quote(receipt, safe='')}")
        known = _code(late) in ((404, "MessageNotFound"), (400, "PopReceiptMismatch"))
        probe.claim("a receipt whose time-out has ended is no longer taken", late, known)


def _taken(answer: Answer) -> int:
    """Count the messages of an answer; -1 of an answer without a list."""
    text = str(answer.body)
    return text.count("<MessageId>") if answer.status == 200 and "<QueueMessagesList" in text else -1


CHECKS = {"I": i}
