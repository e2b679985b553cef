"""Certificate authority of one state directory, and the names in the server certificate.

Only clients told to trust this authority (``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE``) do so; therefore the names are
Azure's own. The authority lasts as long as the directory; the server's key is made anew at each start and never stored.
"""

import ssl
from pathlib import Path

import trustme

from local_azure.arm.clouds import CLOUDS
from local_azure.arm.regions import region_names
from local_azure.directory import CONTROL_HOST
from local_azure.private import write_private

NAMES = (
    "login.microsoftonline.com",
    "login.windows.net",
    "graph.microsoft.com",
    "management.azure.com",
    "*.vault.azure.net",
    "*.azurecr.io",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "management.usgovcloudapi.net",
    "*.vault.usgovcloudapi.net",
    "*.azurecr.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "microsoftgraph.chinacloudapi.cn",
    "management.chinacloudapi.cn",
    "*.vault.azure.cn",
    "*.azurecr.cn",
    CONTROL_HOST,
    *(f"*.{region}.geo.{cloud.registries}" for cloud in CLOUDS for region in region_names(cloud)),
)
"""The hosts of the public and the sovereign clouds, and registries' endpoints in regions; ``*`` is one label."""


def named(host: str) -> bool:
    """Tell if the certificate is valid for `host`."""
    label, _, rest = host.lower().partition(".")
    return host.lower() in NAMES or (bool(label) and f"*.{rest}" in NAMES)


class Authority:
    """Keeps ``ca.pem`` (public) and ``ca-key.pem`` (mode 0600) in `directory`, and makes server certificates."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "ca.pem"
        self._key = directory / "ca-key.pem"
        self._authority = self._load() if self._key.exists() else self._make()

    def _load(self) -> trustme.CA:
        return trustme.CA.from_pem(self.certificate.read_bytes(), self._key.read_bytes())

    def _make(self) -> trustme.CA:
        authority = trustme.CA(organization_name="local-azure", organization_unit_name="trusted on this machine only")
        self.certificate.write_bytes(authority.cert_pem.bytes())
        write_private(self._key, authority.private_key_pem.bytes())
        return authority

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a server accepted as Azure by clients trusting the authority."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*NAMES, "localhost", "127.0.0.1").configure_cert(context)
        return context
