"""Counts of the safety net, printed after a test run: points of death, faults, suspensions and mutants.

The cells are generated from a rotation's real calls, so that a lower number means a hole in the net.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

NETS = {
    "points of death": "tests/matrices/test_crash_matrix.py::test_killed[",
    "faults": "tests/matrices/test_fault_matrix.py::test_one_fault[",
    "faults of other verbs": "tests/matrices/test_verb_faults.py::test_one_fault[",
    "refused reads": "tests/matrices/test_refused_reads.py::test_a_read_that_is_refused_",
    "cells of the alphabet": "tests/matrices/test_alphabet.py::test_a_kind_is_of_its_class[",
    "suspensions": "tests/matrices/test_preemption.py::",
    "mutants of rules and checks": "tests/matrices/test_mutants.py::test_a_change_of_a_decision_is_noticed[",
}
"""Nets by the beginning of their tests' ids. A test of mutants has a property for each mutant."""


def lines(stats: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """Yield the lines about the nets that ran."""
    passed, failed = (
        {what: _cells(stats.get(outcome, ()), net) for what, net in NETS.items()} for outcome in ("passed", "failed")
    )
    ran = [f"{passed[what] + failed[what]} {what}" for what in NETS if passed[what] or failed[what]]
    told = _told(stats)
    violations = sum(failed.values()) + told.pop("violations", 0)
    ran += [f"{many} {what}" for what, many in sorted(told.items())]
    if ran:
        yield f"{', '.join(ran)}: {violations} violations"
    yield from _alphabet(reports for outcome in ("passed", "failed") for reports in stats.get(outcome, ()))
    yield from _described(stats)


def _alphabet(reports: Iterable[object]) -> Iterator[str]:
    """Yield the numbers of kinds, classes and operations of the alphabet's cells, from their properties."""
    net = NETS["cells of the alphabet"]
    cells = [
        dict(each.user_properties)
        for each in reports
        if isinstance(each, pytest.TestReport) and each.nodeid.startswith(net)
    ]
    kinds, classes, operations = (
        {said for each in cells if (said := each.get(name))} for name in ("kind", "class", "operation")
    )
    if kinds:
        yield f"{len(kinds)} kinds of {len(classes)} classes on {len(operations)} operations"


def _told(stats: Mapping[str, Sequence[object]]) -> Counter[str]:
    """Return the counts of tests that play many cells, from properties called ``cells: <what>``."""
    found: Counter[str] = Counter()
    ends = (
        each
        for reports in stats.values()
        for each in reports
        if isinstance(each, pytest.TestReport) and each.when == "teardown"
    )
    for name, many in (pair for report in ends for pair in report.user_properties):
        if name.startswith("cells: "):
            found[name.removeprefix("cells: ")] += int(str(many))
    return found


def _described(stats: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """Yield the number of answers compared with Azure's descriptions, and the services with undescribed answers."""
    ends = (
        each
        for reports in stats.values()
        for each in reports
        if isinstance(each, pytest.TestReport) and each.when == "teardown"
    )
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
    return sum(_tried(report) for report in ran if report.nodeid.startswith(beginning))


def _tried(report: pytest.TestReport) -> int:
    """Return the number of cells in a report: one for each property, or one if they describe a single cell."""
    names = [name for name, _ in report.user_properties]
    return 1 if "kind" in names else len(names) or 1
