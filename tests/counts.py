"""Says at the end of a test run how fine the safety net is: the points of death, faults, suspensions and mutants that were tried.

The cells are generated from what a rotation really does, so a number that falls is a net that has a hole.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest

NETS = {
    "points of death": "tests/test_crash_matrix.py::test_killed[",
    "faults": "tests/test_fault_matrix.py::test_one_fault[",
    "faults of other verbs": "tests/test_verb_faults.py::test_one_fault[",
    "refused reads": "tests/test_refused_reads.py::test_a_read_that_is_refused_",
    "suspensions": "tests/test_preemption.py::",
    "mutants of rules and checks": "tests/test_mutants.py::test_a_change_of_a_decision_is_noticed[",
}
"""What is counted, by the beginning of its tests' ids. A test of mutants has a property for each."""


def lines(stats: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """One line about the nets that ran; none where none did."""
    passed, failed = ({what: _cells(stats.get(outcome, ()), net) for what, net in NETS.items()} for outcome in ("passed", "failed"))
    ran = [f"{passed[what] + failed[what]} {what}" for what in NETS if passed[what] or failed[what]]
    if ran:
        yield f"{', '.join(ran)}: {sum(failed.values())} violations"
    yield from _described(stats)


def _described(stats: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """How many answers were held against Azure's descriptions, and of which services nothing describes some."""
    ends = (each for reports in stats.values() for each in reports if isinstance(each, pytest.TestReport) and each.when == "teardown")
    found: Counter[str] = Counter()
    for name, times in (pair for report in ends for pair in report.user_properties):
        if name == "judged" or name.startswith("undescribed "):  # a test of mutants has properties of its own
            found[name] += int(str(times))
    judged = found.pop("judged", 0)
    if judged:
        yield f"{judged} answers held against Azure's descriptions; {sum(found.values())} have none:"
        yield from (f"  {times} {name.removeprefix('undescribed ')}" for name, times in found.most_common())


def _cells(reports: Sequence[object], beginning: str) -> int:
    ran = (report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call")
    return sum(len(report.user_properties) or 1 for report in ran if report.nodeid.startswith(beginning))
