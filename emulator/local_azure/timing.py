"""Durations in the emulated Azure: one frozen value, in seconds of the emulator's clock."""

from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Timing:
    """Delays met by real clients. `PROMPT` has none; the default is observed of Azure, at the quick end."""

    secret_valid: float = 12.0
    """From addPassword until the last of `replicas` token endpoints accepts it (observed: 4-18 s, up to 2 min).

    Replicas learn one after another, so that answers flap.
    """
    secret_gone: float = 12.0
    """From removePassword until the last replica refuses."""
    replicas: int = 3
    """Token endpoint replicas, asked in turn."""
    graph_read: float = 0.0
    """Time by which Graph's reads of an object lag its writes.

    Recorded: nothing (70 of 70 reads after a password's addition or removal show it); documented: it may happen.
    """
    role_active: float = 30.0
    """From a role assignment until it takes effect (documented: up to 10 min)."""
    role_gone: float = 60.0
    """From a deleted role assignment until it stops to have effect (documented: up to 10 min)."""
    group_pending: float = 5.0
    """From a container group's PUT until its image is being pulled."""
    group_start: float = 20.0
    """From a container group's PUT until its containers have started."""
    job_run: float = 60.0
    """Time for which the container of a run-once group runs, unless its image says otherwise."""
    admin_password: float = 60.0
    """From regenerating a registry's admin password until the registry accepts the new one and refuses the old
    (documented: 60 s).
    """
    registry_made: float = 8.0
    """From a new registry's PUT until it is provisioned (recorded: 7-10 s)."""
    group_gone: float = 30.0
    """From deleting a resource group until it is gone."""
    vault_made: float = 30.0
    """From a new vault's PUT until its name is registered (az looks again after 30 s)."""
    secret_moving: float = 5.0
    """Time for which a deleted secret can't be recovered yet, and a recovered one can't be read yet (observed:
    seconds).
    """
    token_life: float = 3599.0
    """Lifetime of an Entra access token."""
    registry_token_life: float = 4500.0
    """Lifetime of a registry access token (75 min); a refresh token lives 3 h."""


PROMPT = Timing(
    secret_valid=0,
    secret_gone=0,
    replicas=1,
    graph_read=0,
    role_active=0,
    role_gone=0,
    group_pending=0,
    group_start=0,
    admin_password=0,
    registry_made=0,
    group_gone=0,
    vault_made=0,
    secret_moving=0,
)
"""No delays: for tests of one service's wire."""
QUICK = replace(PROMPT, secret_valid=2, secret_gone=2, replicas=3, role_active=1)
"""Seconds where clients retry soon, no time where they poll rarely: for a person who watches."""
LAGGING = Timing(graph_read=4)
"""As Azure on a bad day: Graph's reads lag its writes."""
TIMINGS = MappingProxyType({"azure": Timing(), "lagging": LAGGING, "quick": QUICK, "prompt": PROMPT})
"""Timings by the names that ``local-azure start --timing`` takes."""
