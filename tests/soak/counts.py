"""Counts of an attack, printed at the end of a soak: a count of zero means that a case is no longer tried."""

from dataclasses import asdict, dataclass, fields


@dataclass
class Counts:
    rounds: int = 0
    commands: int = 0
    kills: int = 0
    signals: int = 0
    suspensions: int = 0
    damaged_answers: int = 0
    faults: int = 0
    interventions: int = 0
    looks: int = 0
    blind_writes: int = 0
    excused: int = 0
    fuzzed_inputs: int = 0
    violations: int = 0

    def add(self, other: "Counts") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def line(self) -> str:
        """Return the counts as the last line of a soak."""
        numbers = ", ".join(
            f"{number} {name.replace('_', ' ')}" for name, number in asdict(self).items() if name != "violations"
        )
        return f"from outside: {numbers}: {self.violations} violations"
