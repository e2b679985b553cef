"""Proves a credential: so many successes in a row, over so long, each on new connections."""

from collections.abc import Sequence

from rotator.engine.run import Run
from rotator.errors import AzureError, ProofFailed
from rotator.events import Proving
from rotator.policy import RegistryProof
from rotator.state import Outcome, Proof, Secret

TRIES = 3
"""Tries of a credential that was proven a while ago."""
AGAIN = 5.0
"""Seconds after a failure; a new password is known to some replicas seconds before others (azure-facts C6)."""


async def prove(run: Run, key_id: str, secret: Secret, images: Sequence[str]) -> Proof:
    """Return the last of `proof.times` successes in a row over at least `proof.over`.

    Raises ProofFailed at `proof.deadline`.

    Replicas differ, so one success shows little, and any failure starts the count again.
    """
    wanted, start = run.policy.proof, run.clock.elapsed()
    over, deadline = wanted.over.total_seconds(), wanted.deadline.total_seconds()
    successes, first = 0, start
    while True:
        proof = await _once(run, secret, images)
        good = usable(run, proof)
        first = first if successes else run.clock.elapsed()
        successes = successes + 1 if good else 0
        told = Proving(
            key_id=key_id,
            successes=successes,
            times=wanted.times,
            outcome=proof.outcome,
            detail=proof.detail,
        )
        run.tell(told)
        if successes >= wanted.times and run.clock.elapsed() - first >= over:
            return proof
        if run.clock.elapsed() - start >= deadline:
            raise _failed(run, key_id, proof, successes)
        await run.clock.sleep(over / max(wanted.times - 1, 1) if good else AGAIN)


async def again(run: Run, key_id: str, secret: Secret, images: Sequence[str]) -> Proof:
    """Return one more success, within a few tries, to renew a proof that is old. Raises ProofFailed."""
    tries = 1
    while not usable(run, proof := await _once(run, secret, images)):
        if tries == TRIES:
            raise _failed(run, key_id, proof, 0)
        tries += 1
        await run.clock.sleep(AGAIN)
    return proof


def usable(run: Run, proof: Proof) -> bool:
    """Tell if a try counts as a success under the policy's `proof.registry`."""
    if proof.outcome is Outcome.UNREACHABLE and run.policy.proof.registry is RegistryProof.OPTIONAL:
        return not proof.registry_reached
    return proof.ok


async def _once(run: Run, secret: Secret, images: Sequence[str]) -> Proof:
    try:
        return await run.world.prove(run.policy, secret, images)
    except AzureError as error:
        return Proof(Outcome.UNREACHABLE, error.happened)


def _failed(run: Run, key_id: str, proof: Proof, successes: int) -> ProofFailed:
    wanted = run.policy.proof
    return ProofFailed(
        f"credential {key_id} had {successes} of {wanted.times} successes in a row when"
        f" {wanted.deadline.total_seconds():.0f} s were over; last:"
        f" {proof.outcome}{': ' if proof.detail else ''}{proof.detail}",
        remedy=(
            "Run again; if it stays so, look at the sign-in logs of the principal and at the registry's network rules."
        ),
    )
