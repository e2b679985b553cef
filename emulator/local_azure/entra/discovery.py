"""Discovery documents of the token endpoint: openid-configuration, instance discovery, host names per cloud."""

from typing import Any

CLOUDS: tuple[tuple[str, ...], ...] = (
    ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"),
    ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
    ("login.microsoftonline.us", "login.usgovcloudapi.net"),
)
"""The authorities that instance discovery names, one tuple a cloud; the first is preferred on the network."""

HOSTS = frozenset(host for cloud in CLOUDS for host in cloud)
"""Every authority."""

GRAPH = ("graph.microsoft.com", "microsoftgraph.chinacloudapi.cn", "graph.microsoft.us")
"""Microsoft Graph's host in each of these clouds."""

CLAIMS = (
    "sub",
    "iss",
    "cloud_instance_name",
    "cloud_instance_host_name",
    "cloud_graph_host_name",
    "msgraph_host",
    "aud",
    "exp",
    "iat",
    "acr",
    "nonce",
)
"""Claims that a token may have, as the documents list them."""

_CACHES = ("login.windows.net", "login.partner.microsoftonline.cn", "login.microsoftonline.us")


def _cloud(host: str) -> int:
    return next(index for index, cloud in enumerate(CLOUDS) if host in cloud)


def configuration(host: str, tenant: str, issued_by: str, *, v2: bool) -> dict[str, Any]:
    """Return the openid-configuration of a tenant (or of ``common``, ``organizations``), published by `host`.

    `issued_by` is the tenant in the issuer: an id, or the placeholder ``{tenantid}``.
    """
    base, endpoints = f"https://{host}/{tenant}", "oauth2/v2.0" if v2 else "oauth2"
    return {
        "token_endpoint": f"{base}/{endpoints}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/{'v2.0/' if v2 else ''}keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"https://{host}/{issued_by}/v2.0" if v2 else f"https://sts.windows.net/{issued_by}/",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"https://{GRAPH[_cloud(host)]}/oidc/userinfo" if v2 else f"{base}/openid/userinfo",
        "authorization_endpoint": f"{base}/{endpoints}/authorize",
        "device_authorization_endpoint": f"{base}/{endpoints}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/{endpoints}/logout",
        "claims_supported": list(CLAIMS),
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": "EU",
        "cloud_instance_name": CLOUDS[_cloud(host)][0].removeprefix("login."),
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": GRAPH[_cloud(host)],
        "rbac_url": "https://pas.windows.net",
    }


def instances(endpoint: str) -> dict[str, Any]:
    """Return the instance discovery of an existing authority; `endpoint` is the openid-configuration."""
    clouds = [
        {"preferred_network": cloud[0], "preferred_cache": cache, "aliases": list(cloud)}
        for cloud, cache in zip(CLOUDS, _CACHES, strict=True)
    ]
    return {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": clouds}
