"""Scenarios as trees: our own and the documents' examples, whole and with something in them changed."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from testbed import scenarios
from testbed.scenario import document
from testbed.scenario.models import Link, Migration, Network, Root, Scale, VirtualMachine

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = (ROOT / "docs" / "labs.md", ROOT / "docs" / "sweep.md")
"""Whose examples are of other files."""
EXAMPLES = [
    example
    for file in DOCUMENTS
    if file not in OTHERS
    for example in re.findall(r"```yaml\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL)
]
TREES = [
    *(document.read(scenarios.path_of(name)).tree for name in scenarios.names()),
    *(document.parse(example, "example").tree for example in EXAMPLES),
]

KEYS = [
    *Root.model_fields,
    *(f"scale.{key}" for key in Scale.model_fields),
    *(f"network.{key}" for key in Network.model_fields),
    *(f"network.vmotion.{key}" for key in Link.model_fields),
    *(f"network.cross_traffic.{key}" for key in ("rate", "protocol", "other")),
    *(f"vm.{key}" for key in VirtualMachine.model_fields),
    *(f"vm.workload.{key}" for key in ("name", "working_set", "write_rate", "exponent", "other")),
    *(f"vm.services.0.{key}" for key in ("name", "iops", "size", "block", "think_time", "other")),
    *(f"migration.{key}" for key in Migration.model_fields),
    *(f"migration.policy.{key}" for key in ("name", "downtime_goal", "passes", "limit", "then", "other")),
]
QUANTITIES = [
    f"{number}{unit}"
    for number in ("0", "1", "10", "0.5", "1_000", "27.5", "1e3", "64", "-1", "01", ".5", "1e-3")
    for unit in ("", "GiB", "MB", " MB", "kB", "Gbit", "Gbit/s", "MB/s", "s", "ms", "/s", "%", "gb", "Gbps")
]
NUMBERS = [0, 1, 2, 8, 10, 16, 17, 64, 300, 1500, 4096, 10**6, 10**9, 2**40, 2**63, -1, 0.5, 1.0, 1.5, 2e9, 1e-4]
WORDS = [
    *("native", "simulated", "qemu", "two-hosts", "cubic", "uniform", "idle", "phases", "zipf", "plain", "vmotion"),
    *("xen", "deadline", "give up", "iometer", "echo", "oltp", "auto", "uffd-wp", "move", "reset", "completes"),
    *("udp", "tcp", "vm.ram", "network.vmotion.rate", "total_time", "longest_halt", "x", "", "no", "é ✓", "a\u00a0b"),
]
SCALARS = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(QUANTITIES) | st.sampled_from(WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "name", "duration", "source", "where", "rounds"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of everything that stands in it."""
    if path:
        yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def with_change(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(tree)
    inner = made
    for key in path[:-1]:
        if isinstance(inner, list):
            inner = inner[int(key)] if str(key).isdigit() and int(key) < len(inner) else {}
        elif isinstance(inner, dict):
            inner = inner.setdefault(key, {})
    if isinstance(inner, dict):
        inner[path[-1]] = value
    elif isinstance(inner, list) and str(path[-1]).isdigit():
        inner[int(path[-1]) : int(path[-1]) + 1] = [value]
    return made


@cache
def usual() -> dict[Any, list[Any]]:
    """By key what our own trees hold there, in a file or on an axis, and a few of the same kind."""
    found: dict[Any, list[Any]] = {}
    for tree in TREES:
        for path in places(tree):
            values = reached(tree, path)
            on_axis = path[0] == "matrix" and isinstance(values, list)
            found.setdefault(str(path[-1]).split(".")[-1], []).extend(values if on_axis else [values])
    return found


def reached(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """One of our trees with one or two values changed, put in, or made an axis; half of them by what is usual there."""
    tree = draw(st.sampled_from(TREES))
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        known = [*places(tree), *(tuple(key.split(".")) for key in KEYS)]
        path = draw(st.sampled_from(known) | st.sampled_from(KEYS).map(lambda key: ("matrix", key)))
        values = usual().get(str(path[-1]).split(".")[-1])
        value = st.sampled_from(values) if values and draw(st.booleans()) else SCALARS | VALUES
        on_axis = path[0] == "matrix" and len(path) == 2
        tree = with_change(tree, path, draw(st.lists(value, min_size=1, max_size=2) if on_axis else value))
    return tree
