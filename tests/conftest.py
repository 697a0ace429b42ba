"""What holds for every test: the order, who may skip, and that real hosts and links leave nothing on the machine.

    tests/unit      no root, seconds; run first, and side by side where `pytest -n` is told so
    tests/netns     root, real network namespaces and links; marked `netns` by their place; after each one the machine
                    must be as it was before, so side by side they run only where each of pytest's workers has one
                    (tests/alone, which needs no root for it); what is marked `whole_machine` has the processors to
                    itself even then
    tests/browser   the page in a real browser

A skip says that something was not tested. In CI (`CI=true`, or `TESTBED_NO_SKIP=1` anywhere) it is a failure, unless
the test is marked `needs_kernel("FACILITY")` and a probe finds that this kernel has not (tests/kernel.py), or it is
marked `needs_root("for what")` and who runs it is an ordinary user, which is also who is root of their own namespaces.

What failed is told with the share of processors that a virtual machine's host kept from a test of links meanwhile, and
`bootstrap test` runs such a test again by itself: links are made by processors, and what they were kept from is not
the project's.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from testbed.findings.reasons import HELD_BACK
from testbed.linux.processes.caller import is_root
from testbed.linux.processes.virtual import share_held_back
from tests import kernel

NETNS_TESTS = Path(__file__).parent / "netns"
BROWSER_TESTS = Path(__file__).parent / "browser"
UNIT_TESTS = Path(__file__).parent / "unit"
NO_SKIP = os.environ.get("CI") == "true" or os.environ.get("TESTBED_NO_SKIP") == "1"
EXCUSE = "kernel has no "
# Of a skip for who cannot become anybody, as root can; behind it stands for what.
ROOTS = "needs root: "
# Where `bootstrap test` reads what failed, one test a line, behind what the host kept of the processors meanwhile.
FAILED = "TESTBED_TEST_FAILED"
KEPT, KEPT_NOTHING = "kept by the host", "-"
SINCE = pytest.StashKey[Callable[[], float]]()
# Set by pytest-xdist in each of several processes that test side by side.
WORKER = "PYTEST_XDIST_WORKER"
# Set by tests/alone: namespaces, links, processes and /run are this worker's own.
ALONE = "TESTBED_ALONE"
# Inherited by whatever a test starts, so that even a process that has left us for init is known to be ours.
BADGE = "TESTBED_TEST_SESSION"
# Files of unit tests of which one takes several seconds.
LONG = {"test_documents", "test_wheel_walk", "test_sweeps_remote", "test_report_page", "test_machines_ended"}
# Namespaces and links disappear some time after the last process in them.
PATIENCE_S = 10.0


# ---- Order and marks -------------------------------------------------------------------------------------------------


def _is_netns(path: Path) -> bool:
    return path.is_relative_to(NETNS_TESTS)


def _is_long(path: Path) -> bool:
    return path.parent.name == "unit" and path.stem in LONG


def _asked_s(item: pytest.Item) -> float:
    """Seconds that a test with hosts and links asks for by itself."""
    marker = item.get_closest_marker("timeout") if _is_netns(item.path) else None
    return float(marker.args[0]) if marker else 0.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """By the one who knows of all workers, and not by each of them too."""
    if (file := os.environ.get(FAILED)) and WORKER not in os.environ:
        failed = terminalreporter.stats.get("failed", []) + terminalreporter.stats.get("error", [])
        with Path(file).open("a", encoding="utf-8") as list_of_both:
            list_of_both.writelines(f"{_kept(report)} {report.nodeid}\n" for report in failed)


def _kept(report: pytest.TestReport) -> str:
    return str(dict(report.user_properties).get(KEPT, KEPT_NOTHING))


def pytest_configure() -> None:
    os.environ[BADGE] = str(os.getpid())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in tests/netns, and put it last: a mistake in the core is best told by its own test. Of either,
    what may take longer than others comes first, so that no worker is at it alone in the end.

    What needs a browser is skipped where there is none (Ubuntu, whose chromium is a snap).
    """
    items.sort(key=lambda item: (_is_netns(item.path), not _is_long(item.path), -_asked_s(item)))
    for item in items:
        for marker in item.iter_markers("needs_root") if not is_root() else ():
            item.add_marker(pytest.mark.skip(reason=f"{ROOTS}{marker.args[0]}"))
        if _is_netns(item.path):
            item.add_marker(pytest.mark.netns)
            if item.get_closest_marker("whole_machine"):
                item.add_marker(pytest.mark.timeout(900))  # it waits for what the others are at
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="needs root, or namespaces of one's own: ./bootstrap test"))
        if item.path.is_relative_to(BROWSER_TESTS) and not shutil.which("chromium"):
            item.add_marker(pytest.mark.skip(reason="needs Debian's chromium"))


def pytest_collection_finish() -> None:
    """What stays to the end, modules and tests, is looked at by no collection of garbage from here on: some tests ask
    for one, and each would take the better part of a second.
    """
    gc.collect()
    gc.freeze()


# ---- Who may skip, and who was held back -----------------------------------------------------------------------------


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The kernel is asked when its test comes, and for none that is not run: a probe may load a module."""
    item.stash[SINCE] = share_held_back()
    for marker in item.iter_markers("needs_kernel"):
        if kernel.lacks(marker.args[0]):
            pytest.skip(f"{EXCUSE}{marker.args[0]}")


def _excused(reason: str) -> bool:
    reason = reason.removeprefix("Skipped: ")
    if reason.startswith(ROOTS):
        return not is_root()
    return any(reason == f"{EXCUSE}{each}" and kernel.lacks(each) for each in kernel.PROBES)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not _excused(reason):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} must not be skipped here ({reason})"


def _tell_what_the_host_kept(item: pytest.Item, report: pytest.TestReport) -> None:
    """Of a test of links alone: no other measures anything."""
    if report.failed and SINCE in item.stash and not item.path.is_relative_to(UNIT_TESTS):
        kept = item.stash[SINCE]()
        if kept >= HELD_BACK:
            report.user_properties.append((KEPT, f"{kept:.1%}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
    _tell_what_the_host_kept(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report


# ---- Nothing left ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a test must not leave behind: names of namespaces and links, and processes as (pid, start, name)."""

    namespaces: frozenset[str]
    links: frozenset[str]
    processes: frozenset[tuple[int, float, str]]

    @classmethod
    def now(cls) -> Machine:
        named = Path("/run/netns")
        return cls(
            namespaces=frozenset(os.listdir(named) if named.is_dir() else []),
            links=frozenset(os.listdir("/sys/class/net")),
            processes=frozenset(_our_processes()),
        )

    def beyond(self, before: Machine) -> dict[str, Any]:
        """What is here and was not before; empty when nothing is left."""
        left = {
            "namespaces": self.namespaces - before.namespaces,
            "links": self.links - before.links,
            "processes": self.processes - before.processes,
        }
        return {kind: sorted(names) for kind, names in left.items() if names}


def _our_processes() -> Iterator[tuple[int, float, str]]:
    """Every process that wears our badge. A namespace without a name lives only as long as one of them is in it."""
    badge = f"{BADGE}={os.getpid()}".encode()
    for process in psutil.process_iter(["pid", "create_time", "name"]):
        try:
            worn = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if badge in worn and process.pid != os.getpid():
            yield process.info["pid"], process.info["create_time"], process.info["name"]


@contextmanager
def _as_it_was() -> Iterator[None]:
    before = Machine.now()
    yield
    until = time.monotonic() + PATIENCE_S
    while (left := Machine.now().beyond(before)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left, f"left on the machine: {left}"


@pytest.fixture(autouse=True)
def processors(request: pytest.FixtureRequest) -> Iterator[None]:
    """Shared with other workers' tests, or had alone where a test asks for the whole machine."""
    if WORKER not in os.environ or ALONE not in os.environ:
        yield
        return
    wanted = fcntl.LOCK_EX if request.node.get_closest_marker("whole_machine") else fcntl.LOCK_SH
    with Path(__file__).open("rb") as common:
        fcntl.flock(common, wanted)
        yield


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test with hosts and links, the machine is as it was."""
    if not _is_netns(request.node.path):
        yield
        return
    with _as_it_was():
        yield


@pytest.fixture(autouse=True, scope="module")
def nothing_left_by_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same for hosts and links that a whole module shares."""
    if not _is_netns(request.node.path):
        yield
        return
    assert WORKER not in os.environ or ALONE in os.environ, "tests/netns is not for -n: see tests/alone"
    with _as_it_was():
        yield
