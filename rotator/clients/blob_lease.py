"""Leases on blobs of a container, over Microsoft's client: `ports.LeaseStore`.

One blob per lease, empty; the holder is in its metadata, so that any machine can say who it is.

Rules for editors of this file:

1. No lease is broken or taken from its holder: it ends by its release, or a minute after its last renewal.
2. A lease's id comes from the caller, so that a repeated request takes or renews the lease once.
3. Requests are short: whoever waits for a lease waits for an answer within `PATIENCE`.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked
from rotator.clients.retries import host
from rotator.clients.storage import absent, load, options
from rotator.clients.translation import ask
from rotator.cloud import Cloud
from rotator.errors import AzureError, Conflict, NotFound, OutcomeUnknown
from rotator.remedy import create_container
from rotator.rights import STORAGE

T = TypeVar("T")
SERVICE, PACKAGE = "Azure Blob Storage", "azure.storage.blob.aio"
SECONDS = 60
"""The longest that Azure gives a lease, short of for ever (azure-facts I)."""
LARGEST = 4_000_000
"""Bytes of a text that are read."""
HELD = frozenset({"LeaseAlreadyPresent"})
"""Codes of an acquisition while another lease is held."""
GONE = frozenset(
    {
        *("LeaseIdMismatchWithLeaseOperation", "LeaseNotPresentWithLeaseOperation", "LeaseLost"),
        *("LeaseIsBrokenAndCannotBeRenewed", "BlobNotFound", "ContainerNotFound"),
    }
)
"""Codes of a renewal or release of a lease that is no longer held."""


class BlobLeases:
    """Leases in the container at `address`, as the identity of `token`. Raises ValueError for another address."""

    def __init__(self, line: Line, token: Any, cloud: Cloud, address: str) -> None:
        self._line, self._token = line, token
        self._account, self._container = cloud.storage("blob", address)

    @property
    def where(self) -> str:
        """The container's address."""
        return f"{self._account}/{self._container}"

    async def acquire(self, name: str, lease_id: str, record: Mapping[str, str]) -> Mapping[str, str] | None:
        """Take the lease on a blob, created if absent, and write its metadata."""
        async with self._blob(name) as blob:
            for _ in range(3):
                try:
                    await self._acquire(blob, lease_id)
                except NotFound as error:
                    await self._create(blob, error)
                except Conflict as error:
                    if error.code not in HELD:
                        raise
                    if (other := await self._held(blob)) is not None:
                        return other
                else:
                    await self._record(blob, lease_id, record)
                    return None
            return {}

    async def renew(self, name: str, lease_id: str) -> bool:
        """Hold the lease for another minute."""
        async with self._blob(name) as blob:
            return await self._still(self._asked("renew a lease", _lease(blob, lease_id).renew()))

    async def release(self, name: str, lease_id: str) -> None:
        """Give the lease back."""
        async with self._blob(name) as blob:
            await self._still(self._asked("release a lease", _lease(blob, lease_id).release()))

    async def standing(self) -> Mapping[str, Mapping[str, str]]:
        """Return the metadata of each blob with a lease, from the container's list."""
        connected = options(self._line, host(self._account))
        client = load(PACKAGE).ContainerClient(self._account, self._container, credential=self._token, **connected)
        async with client as container:
            try:
                return await self._asked("list the leases", _leased(container))
            except NotFound as error:
                raise self._no_container(error) if absent(error, "ContainerNotFound") else error from None

    async def kept(self, name: str) -> str:
        """Return the text of a blob; empty if it, or the container, doesn't exist."""
        async with self._blob(name) as blob:
            try:
                content = await self._asked("read a text", _content(blob))
            except NotFound:
                return ""
        return content.decode("utf-8", errors="replace")

    async def keep(self, name: str, text: str) -> None:
        """Write a blob, in place of an older one."""
        async with self._blob(name) as blob:
            await self._asked("write a text", blob.upload_blob(text.encode(), overwrite=True))

    def _blob(self, name: str) -> Any:
        connected = options(self._line, host(self._account))
        return load(PACKAGE).BlobClient(self._account, self._container, name, credential=self._token, **connected)

    async def _asked(self, doing: str, call: Awaitable[T]) -> T:
        return await ask(Asked(SERVICE, f"{doing} in {self.where}", needs=f"{STORAGE['blob']} on it"), call)

    async def _acquire(self, blob: Any, lease_id: str) -> None:
        await self._asked("take a lease", _lease(blob, lease_id).acquire(lease_duration=SECONDS))

    async def _create(self, blob: Any, error: NotFound) -> None:
        """Create the blob; another run may have done so at the same moment. Raises NotFound without a container."""
        if absent(error, "ContainerNotFound"):
            raise self._no_container(error) from None
        try:
            await self._asked("create a lease's blob", blob.upload_blob(b"", overwrite=False))
        except (Conflict, OutcomeUnknown):
            return

    async def _record(self, blob: Any, lease_id: str, record: Mapping[str, str]) -> None:
        """Write who holds the lease; a failure costs people the name, and nothing else."""
        try:
            await self._asked(
                "record a lease's holder", blob.set_blob_metadata(dict(record), lease=_lease(blob, lease_id))
            )
        except AzureError:
            return

    async def _held(self, blob: Any) -> Mapping[str, str] | None:
        shown = await self._asked("read a lease", blob.get_blob_properties())
        return dict(shown.metadata or {}) if shown.lease.state == "leased" else None

    async def _still(self, call: Awaitable[Any]) -> bool:
        try:
            await call
        except (Conflict, NotFound) as error:
            if error.code in GONE:
                return False
            raise
        return True

    def _no_container(self, error: AzureError) -> NotFound:
        account = host(self._account).partition(".")[0]
        return NotFound(
            f"there is no container {self.where}",
            service=SERVICE,
            code=error.code,
            status=404,
            remedy=f"Create it: `{create_container(account, self._container)}`",
        )


def _lease(blob: Any, lease_id: str) -> Any:
    return load(PACKAGE).BlobLeaseClient(blob, lease_id)


async def _content(blob: Any) -> bytes:
    stream = await blob.download_blob(offset=0, length=LARGEST)
    content: bytes = await stream.readall()
    return content


async def _leased(container: Any) -> dict[str, Mapping[str, str]]:
    shown = [each async for each in container.list_blobs(include=["metadata"])]
    return {each.name: dict(each.metadata or {}) for each in shown if each.lease.state == "leased"}
