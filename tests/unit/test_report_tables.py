"""Tables on terminals of any width: nothing is cut, and figures keep their names."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from testbed.report.words.tables import Fitting

WORDS = st.text("abcdefgh0123456789./-", min_size=1, max_size=12)
CELLS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


def drawn(table: Fitting, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(table)
    return file.getvalue()


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4), st.sampled_from([20, 40, 60, 80, 120]))
def test_no_cell_is_cut_or_broken_at_any_width(rows: list[tuple[str, ...]], width: int) -> None:
    table = Fitting(("what", ">figure", "found", "mended by"), prose=("found", "mended by"))
    for row in rows:
        table.row(*row)
    said = drawn(table, width)
    assert max(cell_len(line) for line in said.splitlines()) <= width
    assert {word for row in rows for cell in row for word in cell.split()} <= set(said.split())


def test_a_table_without_room_becomes_entries_with_all_figures_by_name() -> None:
    table = Fitting(("migration", "outcome", ">total", ">downtime", ">sent"), spare=("sent",))
    table.row("rate=10Gbit policy=plain", "completed", "45.8 s", "35.4 ms", "1.7 GB")
    row = "rate=10Gbit policy=plain completed 45.8 s 35.4 ms 1.7 GB"
    assert " ".join(drawn(table, 120).split()) == f"migration outcome total downtime sent {row}"
    assert "sent" not in drawn(table, 44), "what can be spared goes first"
    entry = drawn(table, 30)
    assert entry.splitlines()[:2] == ["migration", "rate=10Gbit policy=plain"]
    for figure in ("outcome: completed", "total: 45.8 s", "downtime: 35.4 ms", "sent: 1.7 GB"):
        assert figure in entry


@pytest.mark.parametrize("width", [40, 60])
def test_a_remedy_is_never_cut(width: int) -> None:
    remedy = "sudo modprobe sch_netem, or another kernel: Debian 13's and Ubuntu 24.04's have it"
    table = Fitting(("what", "", "found", "mended by"), prose=("found", "mended by"))
    table.row("netem", "(missing)", "Specified qdisc kind is unknown", remedy)
    assert remedy in " ".join(drawn(table, width).split()) or set(remedy.split()) <= set(drawn(table, width).split())
