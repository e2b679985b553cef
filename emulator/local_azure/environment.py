"""Exports of a shell for unmodified clients of the emulator: proxy, trusted authority, identity.

The variables are read by ``requests``, aiohttp, httpx, curl and Go; none is the emulator's own.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from local_azure.arm.clouds import PUBLIC, Cloud, named
from local_azure.directory import Running, StateDirectory
from local_azure.msi.addresses import APP_SERVICE_PATH
from local_azure.private import private_directory, write_private_json
from local_azure.seeded import Seeded

Who = Literal["operator", "admin", "app-service", "virtual-machine"]
"""Identity that a shell gets: by secret the operator's or the administrator's, or a managed one by App Service's
endpoint or a machine's (IMDS).
"""

MISLEADING = (
    "ROTATOR_CLOUD",
    "AZURE_CLOUD_NAME",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_CLIENT_SECRET",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
)
"""Variables that would lead ``DefaultAzureCredential``, az or rotator elsewhere; a shell unsets them."""

AZ = {
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    "AZURE_CORE_USE_MSAL_HTTP_CACHE": "false",
    "AZURE_CORE_NO_COLOR": "true",
    "AZURE_CORE_SURVEY_MESSAGE": "false",
    "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
    "AZURE_CORE_OUTPUT": "json",
}
"""Settings that keep ``az`` from sending telemetry and from replaying failures of the token endpoint out of a cache on
disk.
"""


def exports(directory: StateDirectory, who: Who = "operator", *, az: bool = False) -> dict[str, str]:
    """The variables, by name; holds the identity's secret, where it has one. Raises NotRunning."""
    running, seeded = directory.running(), directory.seeded()
    proxy, authority = f"http://127.0.0.1:{running.port}", str(directory.certificate)
    variables = {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), authority),
        "AZURE_TENANT_ID": seeded.tenant,
        "AZURE_SUBSCRIPTION_ID": seeded.subscription,
        **_identity(seeded, who, running),
        **_cloud(named(seeded.cloud)),
    }
    return {**variables, **_az(directory.az(who), variables)} if az else variables


def _identity(seeded: Seeded, who: Who, running: Running) -> dict[str, str]:
    """Return the variables for signing in with azure-identity and similar libraries.

    Clients with the built-in address of a machine's metadata service reach the address through the proxy, too.
    """
    local = f"http://127.0.0.1:{running.port}"
    if who == "app-service":
        endpoint = {"IDENTITY_ENDPOINT": local + APP_SERVICE_PATH, "IDENTITY_HEADER": running.identity_header}
        return {"AZURE_CLIENT_ID": seeded.identity.client_id, **endpoint}
    if who == "virtual-machine":
        machine = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": local, **dict.fromkeys(("http_proxy", "HTTP_PROXY"), local)}
        return {"AZURE_CLIENT_ID": seeded.identity.client_id, **machine}
    identity = seeded.operator if who == "operator" else seeded.admin
    return {"AZURE_CLIENT_ID": identity.app_id, "AZURE_CLIENT_SECRET": identity.secret}


def _cloud(cloud: Cloud) -> dict[str, str]:
    """Return the variables selecting a sovereign cloud for azure-identity, az and rotator.

    Without the variables, each of the three uses the public cloud.
    """
    if cloud is PUBLIC:
        return {}
    return {
        "AZURE_AUTHORITY_HOST": f"https://{cloud.login}",
        "AZURE_CLOUD_NAME": cloud.name,
        "ROTATOR_CLOUD": cloud.short,
    }


def shell(variables: Mapping[str, str]) -> str:
    """Return the variables as lines for a POSIX shell to evaluate."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([f"unset {' '.join(MISLEADING)}", *lines])


def _az(directory: Path, variables: Mapping[str, str]) -> dict[str, str]:
    added = {**AZ, "AZURE_CONFIG_DIR": str(private_directory(directory))}
    checked = directory / "versionCheck.json"
    if not checked.exists() and (command := shutil.which("az")):
        _settle_version(command, {**os.environ, **variables, **added}, checked)
    return added


def _settle_version(command: str, environment: Mapping[str, str], checked: Path) -> None:
    """Record a version check for ``az``, so that the first command does not ask the internet.

    Source: az 2.91, ``handle_version_update``.
    """
    asked = subprocess.run([command, "version", "--output", "json"], env=environment, capture_output=True, check=False)
    if asked.returncode == 0:
        found = json.loads(asked.stdout)
        local = {
            "azure-cli": found["azure-cli"],
            "core": found["azure-cli-core"],
            "telemetry": found["azure-cli-telemetry"],
        }
        versions = {name: {"local": version} for name, version in local.items()}
        write_private_json(
            checked,
            {
                "versions": versions,
                "update_time": "2099-01-01 00:00:00.000000",
                "check_time": "2099-01-01 00:00:00.000000",
            },
        )


def expire_tokens(directory: StateDirectory) -> None:
    """Remove the access tokens kept by ``az``.

    After a jump of Azure's time the tokens have expired, but not by the clock read by ``az``.
    """
    for cache in (directory.path / "az").glob("*/msal_token_cache.*"):
        cache.unlink(missing_ok=True)
