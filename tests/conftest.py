"""Settings and fixtures of rotator's tests, beside the emulator's: cells, counts, and the record of reached codes."""

import asyncio
import gc
import inspect
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any

import pytest
from everywhere import answers_are_as_described, no_vault_is_remembered
from local_azure.virtual import VirtualLoop

from rotator.cli import SELDOM
from tests import counts, reached
from tests.cells import left_out
from tests.stage import hurried

__all__ = ["answers_are_as_described", "no_vault_is_remembered"]


reached.watch()

for each in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(each) is signal.SIG_IGN:
        # a shell's background job ignores them, and so would every process that a test starts
        signal.signal(each, signal.SIG_DFL if each is signal.SIGHUP else signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage seldom, and skip imported objects: it took a twentieth of the processor time of rotations."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak`, by which `make soak` tries every cell of the matrices."""
    parser.addoption(
        "--soak",
        action="store_true",
        help="try every cell of the matrices; without it a sample, or what is named by its id",
    )


def _everything(config: pytest.Config) -> bool:
    """Tell if cells of `make soak` are wanted: all, or one by its id."""
    return bool(config.option.soak) or any("::" in each for each in config.args)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Generate no tests for unwanted cells: there are three times as many as wanted ones, and each worker would
    generate them.
    """
    if not _everything(metafunc.config):
        none = metafunc.definition.get_closest_marker("soak") is not None
        metafunc.parametrize = partial(_parametrized, metafunc.parametrize, none)  # type: ignore[method-assign]


def _parametrized(
    whole: Callable[..., None], none: bool, names: Any, values: Iterable[Any], *args: Any, **named: Any
) -> None:
    """Call `whole` without the cells of `make soak`; if no other is left, keep one for the next hook, since an empty
    list would be a skip.
    """
    given = list(values)
    kept = (
        []
        if none
        else [value for value in given if not any(mark.name == "soak" for mark in getattr(value, "marks", ()))]
    )
    whole(names, kept or given[:1], *args, **named)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of `make soak`, unless one is asked for by its id."""
    if _everything(config):
        return
    left = {item for item in items if item.get_closest_marker("soak")} | set(_beyond_shares(items))
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


def _beyond_shares(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the cells that the mark `share` of their test leaves to `make soak`; the first stays if no other does."""
    for _, each in groupby(items, lambda item: item.nodeid.partition("[")[0]):
        cells = list(each)
        share = cells[0].get_closest_marker("share")
        if share:
            kept = [item for item in cells if not left_out(item.name, *share.args)] or cells[:1]
            yield from (item for item in cells if item not in kept)


@pytest.fixture
def loop() -> VirtualLoop:
    """Return the virtual loop on which the test itself runs."""
    return VirtualLoop()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine on a virtual loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    virtual: VirtualLoop = given.get("loop") or VirtualLoop()
    try:
        with asyncio.Runner(loop_factory=lambda: virtual) as runner:
            runner.run(pyfuncitem.obj(**given))
    finally:
        hurried()
    return True


@pytest.fixture(autouse=True)
def _no_logger_stays_quiet() -> Iterator[None]:
    """Reset the log levels that a command has set: they last as long as the process."""
    yield
    if logs := sys.modules.get("rotator.cli.logs"):
        for name in logs.SPEAKERS:
            logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _what_is_reached(request: pytest.FixtureRequest) -> Iterator[None]:
    """Report the codes and classes that a test was the first to reach."""
    yield
    if new := reached.fresh():
        request.node.user_properties.append((reached.PROPERTY, new))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of the matrices' cells, and after a whole run the codes that no test has reached."""
    for line in counts.lines(terminalreporter.stats):
        terminalreporter.write_line(line)
    if _whole(terminalreporter.config):
        seen = reached.reached(each for reports in terminalreporter.stats.values() for each in reports)
        terminalreporter.write_line(reached.line(seen))
        for each in reached.missing(seen):
            terminalreporter.write_line(f"  nothing reaches {each}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run without a test for each code, rule and class of effects."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        reporter is None
        or hasattr(session.config, "workerinput")
        or not _whole(session.config)
        or session.exitstatus != pytest.ExitCode.OK
    ):
        return
    if list(reached.missing(reached.reached(each for reports in reporter.stats.values() for each in reports))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _whole(config: pytest.Config) -> bool:
    """Tell if all tests were selected: no files, words or marks, and not only failed ones."""
    failed = getattr(config.option, "lf", False)  # an option of pytest's cache, which may be off
    chosen = config.option.keyword or config.option.markexpr or config.option.collectonly or failed
    return not chosen and config.args == config.getini("testpaths")
