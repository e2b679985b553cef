"""Refusals of a registry, with the HTTP status of each."""

STATUS = {
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "NAME_UNKNOWN": 404,
    "MANIFEST_UNKNOWN": 404,
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "TAG_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "TAG_INVALID": 400,
    "DIGEST_INVALID": 400,
    "MANIFEST_INVALID": 400,
    "MANIFEST_BLOB_UNKNOWN": 400,
    "BLOB_UPLOAD_INVALID": 400,
    "PAGINATION_NUMBER_INVALID": 400,
    "RANGE_INVALID": 416,
    "UNSUPPORTED": 405,
    "BAD_REQUEST": 400,
    "TOOMANYREQUESTS": 429,
}
"""HTTP statuses of the registry's error codes: those of the distribution specification's reference implementation, and
ACR's own.
"""


BARE = object()
"""Detail of a refusal that is shown without any: those of ``/acr/v1``, and of deletions."""


class Refused(Exception):
    """A request or pull refused by the registry, in the registry's own words.

    `code` is the code in the error envelope (UNAUTHORIZED, DENIED …).
    """

    def __init__(self, code: str, message: str, detail: object = None, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.detail = code, message, detail
        self.status = status or STATUS.get(code, 400)
