"""What holds for every test: the order, who may skip, and that real hosts and links leave nothing on the machine.

    tests/unit      no root, seconds; run first, and side by side where `pytest -n` is told so
    tests/netns     root, real network namespaces and links; marked `netns` by their place; after each one the machine
                    must be as it was before, so side by side they run only where each of pytest's workers has one
                    (tests/alone, which needs no root for it); what is marked `whole_machine` has the processors to
                    itself even then
    tests/browser   the page in a real browser

A skip says that something was not tested. In CI (`CI=true`, or `TESTBED_NO_SKIP=1` anywhere) it is a failure, unless
its reason begins "kernel has no FACILITY" and a probe here confirms that this kernel has not, or the test is marked
`needs_root("for what")` and who runs it is an ordinary user, which is also who is root of namespaces of their own.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import mmap
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from testbed.linux.processes.caller import is_root

NETNS_TESTS = Path(__file__).parent / "netns"
BROWSER_TESTS = Path(__file__).parent / "browser"
NO_SKIP = os.environ.get("CI") == "true" or os.environ.get("TESTBED_NO_SKIP") == "1"
EXCUSE = "kernel has no "
# Of a skip for who cannot become anybody, as root can; behind it stands for what.
ROOTS = "needs root: "
# Where `bootstrap test`, which runs pytest twice, reads what failed, one test a line.
FAILED = "TESTBED_TEST_FAILED"
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
            list_of_both.writelines(f"{report.nodeid}\n" for report in failed)


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


# ---- Who may skip ----------------------------------------------------------------------------------------------------


def _lacks_netem() -> bool:
    command = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return "kind is unknown" in tried.stderr


def _lacks_openvswitch() -> bool:
    # Asking for the family loads the module where there is one.
    tried = subprocess.run(["genl", "ctrl", "get", "name", "ovs_datapath"], capture_output=True, text=True, check=False)
    return "No such file" in tried.stderr


def _lacks_soft_dirty() -> bool:
    """Clear every soft-dirty bit of this process, write one page: its bit (55) must be set again."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page, Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        page[0] = 1
        Path("/proc/self/clear_refs").write_text("4", encoding="ascii")
        page[0] = 2
        pagemap.seek(_address(page) // mmap.PAGESIZE * 8)
        return not int.from_bytes(pagemap.read(8), "little") >> 55 & 1


def _address(page: mmap.mmap) -> int:
    view = ctypes.c_char.from_buffer(page)
    try:
        return ctypes.addressof(view)
    finally:
        del view


PROBES: dict[str, Callable[[], bool]] = {
    "netem": _lacks_netem,
    "openvswitch": _lacks_openvswitch,
    "soft-dirty": _lacks_soft_dirty,
    "CONFIG_MEM_SOFT_DIRTY": _lacks_soft_dirty,
}


@cache
def _confirmed_absent(facility: str) -> bool:
    return facility in PROBES and PROBES[facility]()


def _excused(reason: str) -> bool:
    reason = reason.removeprefix("Skipped: ")
    if reason.startswith(ROOTS):
        return not is_root()
    facility = reason.removeprefix(EXCUSE).split(" ")[0].rstrip(".,:;")
    return reason.startswith(EXCUSE) and _confirmed_absent(facility)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not _excused(reason):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} must not be skipped here ({reason})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report)
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
