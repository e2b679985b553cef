"""Second half of a proof: pull the dependents' own images from the registry.

The requests are those of a container runtime: ``/oauth2/token`` with user name and password, then ``HEAD`` of each
manifest with the returned token. A token alone proves nothing: the registry also gives tokens without any access.
Source: Azure Container Registry, "AAD-OAuth".
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError as SdkError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from rotator.clients.entra import PATIENCE
from rotator.clients.pipeline import Line, together
from rotator.clients.refusal import ODD, parsed
from rotator.cloud import Cloud
from rotator.errors import AzureError
from rotator.policy import Policy, RegistryProof
from rotator.state import Outcome, Proof, Secret

ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
PROBE = "rotator-probe"
"""Repository requested where no image is known.

The repository needn't exist: 404 is answered only to clients with pull rights.
"""

DIGEST, VERSION = "Docker-Content-Digest", "Docker-Distribution-Api-Version"
"""Headers of a manifest, and of every answer of a registry (azure-facts G1, G3).

An answer without these headers came from another server in the registry's place.
"""

_FIREWALL = "is not allowed access"
"""Part of the registry's message for a denied network (403 DENIED), an error not fixed by any credential."""


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """Parsed image reference: host, repository, and tag or digest."""

    server: str
    repository: str
    reference: str
    name: str

    @classmethod
    def parse(cls, name: str) -> "Image | None":
        """Parse ``server/repository[:tag][@digest]``; a digest wins over a tag, and no tag is ``latest``.

        None for a reference without a host.
        """
        found = re.fullmatch(
            r"(?P<server>[^/]+\.[^/]+)/(?P<repository>[^@:]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?", name
        )
        if not found:
            return None
        return cls(found["server"].lower(), found["repository"], found["digest"] or found["tag"] or "latest", name)


def images(cloud: Cloud, names: Iterable[str], servers: Sequence[str]) -> tuple[Image, ...]:
    """Return the images located at a host of one of `servers`, and the probe for each server without an image.

    The servers are login servers, and each is asked; a registry answers at an endpoint in each of its regions, too. No
    other host is asked: otherwise a container group made by another person could choose the receiver of the password.
    """
    wanted = [image for image in map(Image.parse, names) if image and cloud.login_server(image.server) in servers]
    idle = sorted(set(servers) - {image.server for image in wanted})
    return (*sorted(set(wanted)), *(Image(server, PROBE, "latest", "") for server in idle))


Tried = tuple[Sequence[Image], Proof]
"""Images of one repository, and the result of their try."""


async def tries(line: Line, cloud: Cloud, app_id: str, secret: Secret, wanted: Sequence[Image]) -> list[Tried]:
    """Try to pull each of `wanted`, all at once; `line` is over connections of its own.

    The password goes to registries of the cloud only, not to other hosts named as registries.
    """
    basic = base64.b64encode(f"{app_id}:{secret.reveal()}".encode()).decode()
    transport = line.transport(cloud.registries(image.server for image in wanted))
    policies = [line.agent(), line.retry(patience=PATIENCE)]
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
        "https://registry", policies=policies, transport=transport
    )
    by_repository = groupby(sorted(wanted), lambda image: (image.server, image.repository))
    asked = [tuple(images_) for _, images_ in by_repository]
    proofs = await together(*(_repository(client, basic, images_) for images_ in asked))
    return list(zip(asked, proofs, strict=True))


def conclusion(policy: Policy, cloud: Cloud, tried: Sequence[Tried]) -> Proof:
    """Return the result of all tries.

    A region can fail alone, or be taken from the registry (azure-facts G10): if its endpoint gives no answer, but the
    registry does, the images there count as missing, and what pulls from elsewhere goes on. A policy that accepts an
    unreachable registry accepts an endpoint that rotator alone may be unable to reach.
    """
    optional = policy.proof.registry is RegistryProof.OPTIONAL
    return verdict([proof for _, proof in tried] if optional else _without_regions(cloud, tried))


def _without_regions(cloud: Cloud, tried: Sequence[Tried]) -> list[Proof]:
    answered = {images_[0].server for images_, proof in tried if proof.registry_reached}
    proofs = list[Proof]()
    for images_, proof in tried:
        login = cloud.login_server(images_[0].server)
        lost = not proof.registry_reached and login != images_[0].server and login in answered
        names = tuple(image.name for image in images_)
        proofs.append(Proof(Outcome.PROVEN, missing=names, unanswered=names) if lost else proof)
    return proofs


async def _repository(
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse], basic: str, wanted: Sequence[Image]
) -> Proof:
    server, repository = wanted[0].server, wanted[0].repository
    address = f"https://{server}/oauth2/token?service={server}&scope=repository:{repository}:pull"
    try:
        answer = await client.send_request(HttpRequest("GET", address, headers={"Authorization": f"Basic {basic}"}))
        if answer.status_code != 200:
            return _denied(answer, f"a token for {server}/{repository}")
        headers = {"Authorization": f"Bearer {_token(answer)}", "Accept": ACCEPT}
        return verdict([await _manifest(client, headers, image) for image in wanted])
    except AzureError as error:
        return Proof(Outcome.UNREACHABLE, error.happened, registry_reached=False)
    except ODD as error:
        return Proof(
            Outcome.UNREACHABLE,
            f"registry {server} gave an answer that can't be read ({type(error).__name__})",
            registry_reached=False,
        )
    except SdkError as error:
        why = type(getattr(error, "inner_exception", None) or error).__name__
        return Proof(Outcome.UNREACHABLE, f"registry {server} gave no answer ({why})", registry_reached=False)


async def _manifest(
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse], headers: Mapping[str, str], image: Image
) -> Proof:
    address = f"https://{image.server}/v2/{image.repository}/manifests/{image.reference}"
    answer = await client.send_request(HttpRequest("HEAD", address, headers=dict(headers)))
    if (answer.status_code == 200 and DIGEST in answer.headers) or (
        answer.status_code == 404 and VERSION in answer.headers
    ):
        missing = (image.name,) if answer.status_code == 404 and image.name else ()
        digest = answer.headers.get(DIGEST, "") if image.name else ""
        named = ((image.name, digest),) if digest else ()
        return Proof(Outcome.PROVEN, missing=missing, served=(image.name or image.server,), digests=named)
    return _denied(answer, f"{image.server}/{image.repository}", pulled=True)


def _token(answer: AsyncHttpResponse) -> str:
    content = json.loads(answer.text())
    token: str = content.get("access_token") or content["token"]
    return re.sub(r"[\r\n]", "", token)


def _denied(answer: AsyncHttpResponse, what: str, *, pulled: bool = False) -> Proof:
    """Return the proof for an answer other than 200.

    At the token endpoint 401 is about the password; at a manifest 401 is about the right to pull.
    """
    status, said = answer.status_code, parsed(answer.status_code, answer.headers, answer.text())
    shown = f"{status} {said.code}".strip()
    if _FIREWALL in said.message:
        return Proof(
            Outcome.UNREACHABLE,
            f"the registry denies access from this network when asked for {what} ({shown})",
            registry_reached=False,
        )
    genuine = bool(said.code) or VERSION in answer.headers
    if genuine and status == 401 and not pulled:
        return Proof(Outcome.REFUSED, f"the registry refuses the password when asked for {what} ({shown})")
    if genuine and status in (401, 403):
        return Proof(Outcome.NO_PULL, f"the registry refuses the pull of {what} ({shown})")
    return Proof(
        Outcome.UNREACHABLE,
        f"the registry gave no usable answer when asked for {what} ({shown})",
        registry_reached=False,
    )


_GRAVEST = (Outcome.REFUSED, Outcome.NO_PULL, Outcome.DISABLED, Outcome.UNREACHABLE)


def verdict(proofs: Sequence[Proof]) -> Proof:
    """Combine many proofs: the gravest failure, or proven with all missing images.

    In both cases the result holds all served images, and tells if every registry was reached.
    """
    reached = all(proof.registry_reached for proof in proofs)
    served = tuple(sorted({name for proof in proofs for name in proof.served}))
    for outcome in _GRAVEST:
        for proof in proofs:
            if proof.outcome is outcome:
                return replace(proof, served=served, registry_reached=reached)
    missing = tuple(sorted({name for proof in proofs for name in proof.missing}))
    digests = tuple(sorted({pair for proof in proofs for pair in proof.digests}))
    unanswered = tuple(sorted({name for proof in proofs for name in proof.unanswered}))
    return Proof(Outcome.PROVEN, missing=missing, served=served, digests=digests, unanswered=unanswered)
