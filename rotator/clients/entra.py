"""First half of a proof: request a token from Entra with the password.

The credential object is new and holds no cached token.
"""

from azure.core.exceptions import AzureError as SdkError
from azure.identity.aio import ClientSecretCredential

from rotator.causes import Cause
from rotator.clients.codes import grounds_of
from rotator.clients.pipeline import Line
from rotator.clients.refusal import ENTRA, ODD, Asked, ServiceRefusal, refused_by
from rotator.clients.translation import TRANSIENT
from rotator.cloud import Cloud
from rotator.secret import struck
from rotator.state import Outcome, Proof, Secret

PATIENCE = 15.0
"""Seconds to wait for an answer in one try of a credential; the whole proof has its own deadline."""

REFUSED, EXPIRED = 7000215, 7000222
"""Error codes for a wrong (or removed, or not yet replicated) password, and for an expired one.

Source: Microsoft Entra authentication error codes.
"""
NOBODY = frozenset({700016, 7000112, 7000229})
"""Error codes for an application unknown to the tenant, disabled, or without a service principal.

These don't depend on the caller or the caller's network.

Other refusals may depend on the caller's place and method (53003: conditional access).

Source: Microsoft Entra authentication error codes.
"""
PASSING = frozenset({90033, 90024, 90025, 90055, 90100, 50196, 50200})
"""Error codes for a temporary failure of Entra."""


async def prove(line: Line, cloud: Cloud, tenant: str, app_id: str, secret: Secret) -> Proof | None:
    """Return the reason why the password doesn't authenticate, or None if it does.

    `line` is over a connection of its own.
    """
    credential = ClientSecretCredential(
        tenant,
        app_id,
        secret.reveal(),
        authority=cloud.authority,
        transport=line.transport([cloud.authority]),
        retry_policy_class=lambda **_: line.retry(patience=PATIENCE, once=False),
    )
    try:
        await credential.get_token(cloud.arm_scope)
    except (SdkError, *ODD) as error:
        return _failed(error)
    finally:
        await credential.close()
    return None


def _failed(error: Exception) -> Proof:
    refused = refused_by(error)
    if refused is None:
        return Proof(Outcome.UNREACHABLE, f"Microsoft Entra ID gave no answer ({type(error).__name__})")
    return judged(refused)


def judged(refused: ServiceRefusal) -> Proof:
    """Return the proof for a refusal of the token endpoint."""
    code = next(iter(refused.numbers), None)
    shown = f"AADSTS{code}" if code else f"{refused.status} {refused.code}"
    if code in (REFUSED, EXPIRED):
        outcome = Outcome.EXPIRED if code == EXPIRED else Outcome.REFUSED
        return Proof(
            outcome,
            f"Microsoft Entra ID refuses the password{', which has expired' if code == EXPIRED else ''} ({shown})",
        )
    if code is None or code in PASSING or refused.status in TRANSIENT:
        return Proof(Outcome.UNREACHABLE, f"Microsoft Entra ID gave no usable answer ({shown})")
    said = struck(refused.message.split(" Trace ID")[0].strip())[:300]
    grounds = grounds_of(Asked(ENTRA, "sign in as the principal"), refused)
    what = (
        "a Conditional Access policy blocks this sign-in"
        if grounds and grounds.cause is Cause.CONDITIONAL_ACCESS
        else "Microsoft Entra ID refuses every sign-in as the principal"
    )
    return Proof(Outcome.DISABLED, f"{what} ({shown}: {said})", nobody=code in NOBODY, grounds=grounds)
