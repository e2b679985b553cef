"""Facts of docs/azure-facts.md: one table, each with its check, or with the reason why no API shows the fact."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from live.claims import Probe
from live.facts import entra, graph, groups, others, registry, rest, roles, storage, templates, vault
from live.scene import Scene

Check = Callable[[Scene, Probe], None]
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        **groups.CHECKS,
        **templates.CHECKS,
        **rest.CHECKS,
        **graph.CHECKS,
        **entra.CHECKS,
        **vault.CHECKS,
        **roles.CHECKS,
        **registry.CHECKS,
        **others.CHECKS,
        **storage.CHECKS,
    }
)
"""Checks by id, in the order of play."""
UNSHOWN: Mapping[str, str] = MappingProxyType(
    {
        "A4": "it is advice, and its limits need a private endpoint of a registry: it costs more than this run may",
        "A15": "az reads the file by itself",
        "B5": "a pull has to fail and then to succeed by itself, which nobody can ask for",
        "B10": "it is about what a client library makes of an answer; the answers are those of B9",
        "B11": "it is a recommendation of a pace; the run keeps it",
        "C8": "it is about what client libraries send again",
        "D5": "the endpoint of managed identities answers inside Azure only",
        "E6": "a limit would have to be used up",
        "G9": "a limit would have to be used up",
    }
)
"""Facts that no request of a run can show, with the reason."""
