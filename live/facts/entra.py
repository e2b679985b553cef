"""Checks of Entra's token endpoint (azure-facts D1 to D4)."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

from live.azure import Answer, bearer
from live.claims import Probe
from live.scene import Scene

NOBODY = "11111111-0000-4000-8000-000000000000"


def d1(scene: Scene, probe: Probe) -> None:
    """Check the request for a token."""
    stranger = scene.stranger()
    base = f"https://{scene.azure.cloud.authority}/{scene.tenant}/v2.0/.well-known/openid-configuration"
    document = scene.azure.send("GET", base)
    endpoint = str(document.at("token_endpoint"))
    probe.claim("openid-configuration names the token endpoint", document, endpoint.endswith("/oauth2/v2.0/token"))
    signed = scene.sign_in(stranger.app_id, stranger.password)
    full = signed.status == 200 and signed.at("token_type") == "Bearer" and bool(signed.at("access_token"))
    probe.claim("id, secret and a scope that ends with /.default buy a token", signed, full)
    wrong = scene.sign_in(stranger.app_id, stranger.password, scene.azure.cloud.arm + "/user_impersonation")
    probe.claim("a scope that ends otherwise is refused", wrong, wrong.status == 400)


def d2(scene: Scene, probe: Probe) -> None:
    """Check the codes of refusals."""
    stranger = scene.stranger()
    wrong = scene.sign_in(stranger.app_id, "not-the-password")
    probe.claim("a wrong secret is 401 7000215", wrong, _refusal(wrong) == (401, 7000215))
    unknown = scene.sign_in(NOBODY, "any")
    probe.claim("an unknown application is 400 700016", unknown, _refusal(unknown) == (400, 700016))
    nowhere = scene.sign_in(stranger.app_id, "any", tenant=NOBODY)
    probe.claim("an unknown tenant is 400 90002", nowhere, _refusal(nowhere) == (400, 90002))
    text = str(wrong.at("error_description"))
    repeated = bool(wrong.at("trace_id")) and str(wrong.at("trace_id")) in text
    probe.claim("the description repeats the ids of the request", wrong, repeated)
    _expired(scene, probe)


def _expired(scene: Scene, probe: Probe) -> None:
    stranger, azure = scene.stranger(), scene.azure
    end = (scene.clock.now() + timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = f"/applications/{stranger.application}"
    added = azure.graph("POST", f"{path}/addPassword", {"passwordCredential": {"endDateTime": end}})
    scene.clock.sleep(240)
    expired = azure.until(
        lambda: scene.sign_in(stranger.app_id, str(added.at("secretText"))),
        scene.lasting(lambda each: _refusal(each)[1] != 7000215),
        300,
        5,
    )
    probe.claim("an expired secret is 401 7000222", expired, _refusal(expired) == (401, 7000222))
    azure.graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")})


def _refusal(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.at("error_codes", 0)


def d3(scene: Scene, probe: Probe) -> None:
    """Check the claims of a token that az reads."""
    stranger = scene.stranger()
    signed = scene.sign_in(stranger.app_id, stranger.password)
    read = claims(str(signed.at("access_token")))
    wanted = {"tid": scene.tenant, "oid": stranger.service_principal, "appid": stranger.app_id}
    told = all(str(read.get(name, "")).lower() == value.lower() for name, value in wanted.items())
    probe.claim("a token has tid, oid and appid", signed, told)
    base = f"https://{scene.azure.cloud.authority}/common/discovery/instance?api-version=1.1&authorization_endpoint="
    known = scene.azure.send("GET", f"{base}https://{scene.azure.cloud.authority}/common/oauth2/v2.0/authorize")
    probe.claim("the authority is known to instance discovery", known, bool(known.at("tenant_discovery_endpoint")))


def d4(scene: Scene, probe: Probe) -> None:
    """Check the use of a token after its password was removed."""
    stranger, azure = scene.stranger(), scene.azure
    path = f"/applications/{stranger.application}"
    added = azure.graph("POST", f"{path}/addPassword", {})
    secret = str(added.at("secretText"))
    signed = azure.until(lambda: scene.sign_in(stranger.app_id, secret), lambda each: each.status == 200, 300, 3)
    azure.graph("POST", f"{path}/removePassword", {"keyId": added.at("keyId")})
    azure.until(lambda: scene.sign_in(stranger.app_id, secret), scene.lasting(lambda each: each.status == 401), 900, 5)
    url = f"{azure.cloud.arm}/subscriptions?api-version=2022-12-01"
    used = azure.send("GET", url, headers=bearer(str(signed.at("access_token"))))
    probe.claim("a token is taken after its password was removed", used, used.status == 200)


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token, unverified; empty if the text is no token."""
    try:
        part = token.split(".")[1]
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


CHECKS = {"D1": d1, "D2": d2, "D3": d3, "D4": d4}
