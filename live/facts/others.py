"""Checks of limits and of requirements of clients (azure-facts H and J)."""

from urllib.parse import quote

from live.claims import Probe
from live.scene import Scene


def h(scene: Scene, probe: Probe) -> None:
    """Check the headers with remaining requests; exceeds no limit."""
    read = scene.azure.arm("GET", scene.group_path)
    left = read.header("x-ms-ratelimit-remaining-subscription-reads")
    probe.claim("a read says how many reads are left", read, left.isdigit())
    written = scene.bare_vault()
    left = written.header("x-ms-ratelimit-remaining-subscription-writes")
    probe.claim("a write says how many writes are left", written, left.isdigit())
    probe.unseen("beyond a limit comes 429 with Retry-After", "this run uses up no limit of the tenant")


def j(scene: Scene, probe: Probe) -> None:
    """Check the answers on which az relies."""
    document = scene.azure.send("GET", f"{scene.azure.cloud.arm}/metadata/endpoints?api-version=2022-09-01")
    named = isinstance(document.body, dict | list) and document.status == 200
    probe.claim("/metadata/endpoints is JSON", document, named)
    created = scene.web().created
    address = created.header("Azure-AsyncOperation")
    probe.claim("operation addresses are absolute", created, address.startswith("https://"))
    stranger = scene.stranger()
    words = f"appId eq '{stranger.app_id}'"
    for text, how in ((quote(words), "percent-encoded"), (words.replace(" ", "+"), "with plus signs")):
        found = scene.azure.graph("GET", f"/servicePrincipals?$filter={text}")
        probe.claim(f"filters may come {how}", found, found.at("value", 0, "id") == stranger.service_principal)


CHECKS = {"H": h, "J": j}
