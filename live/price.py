"""Upper bound of the cost of a run. Pure."""

AS_OF = "2026-11-30"
"""Day of the prices."""
HOURS = 3
"""Longest duration of a run; afterwards it plays no more facts, and removes its resources."""
CORES, MEMORY = 8, 10
"""Processors and GB of all container groups of a run, if they ran at once."""
CORE_HOUR, MEMORY_HOUR = 0.10, 0.01
"""USD, more than twice the list price of Linux containers in East US."""
REGISTRY_DAY = 0.34
"""USD for a Basic registry, twice its list price; a day that was begun counts."""
OPERATIONS = 0.05
"""USD for 10,000 operations of a vault and as many of a storage account: ten times as many as a run makes."""


def bound() -> float:
    """Return the upper bound in USD."""
    containers = HOURS * (CORES * CORE_HOUR + MEMORY * MEMORY_HOUR)
    return round(containers + 2 * REGISTRY_DAY + OPERATIONS, 2)


def words() -> str:
    """Return the bound as a sentence, shown before the run makes a resource."""
    return (
        f"This costs at most {bound():.2f} USD (prices of {AS_OF}, East US, doubled; other regions differ):"
        f" containers of {CORES} vCPU for {HOURS} hours, a Basic registry for two days begun, a vault and a"
        " storage account."
        " Applications and role assignments cost nothing."
    )
