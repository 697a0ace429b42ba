"""What all points say together: a row a migration, as CSV and, where pyarrow is, as Parquet; and a row a cell.

point, id, repeat, machine, kernel, cpu | vm.ram, ... (the axes) | the columns of ``export``'s migrations
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from testbed.core.errors import PrerequisiteMissing
from testbed.core.text.label import label
from testbed.exports import csv_text, parquet, tables
from testbed.exports.cells import CellKind, Column, Sheet, table
from testbed.runfiles.samples import Row
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.points import Point
from testbed.sweeps.together.cells import SHOWN, SweptCell

NAME = "results"
TEXTS = ("id", "arm", "machine", "kernel", "cpu", "commit")
ENDS = ("n", "mean", "mean_95_t_low", "mean_95_t_high", "predicted")
"""What is said of each figure of a cell."""
SETTINGS = "settings."
"""What the columns begin with whose kind is that of all rows: 2 in one point, 2.5 in the next."""
FIRST = (
    Column(name="point", kind=CellKind.INTEGER),
    Column(name="point_repeat", kind=CellKind.INTEGER),
    Column(name="valid_point", kind=CellKind.TRUTH),
    *(Column(name=name, kind=CellKind.TEXT) for name in TEXTS),
)


def write(folder: SweepFolder, done: Sequence[tuple[Point, KeptPoint]], axes: Sequence[str]) -> list[str]:
    """Writes the tables of these points; the names of the files. Parquet only where pyarrow is."""
    made = sheet(done, axes)
    folder.write(f"{NAME}.csv", csv_text.text(made).encode())
    written = [f"{NAME}.csv"]
    with suppress(PrerequisiteMissing):
        parquet.required()
        folder.write(f"{NAME}.parquet", parquet.content(made))
        written.append(f"{NAME}.parquet")
    return written


def sheet(done: Sequence[tuple[Point, KeptPoint]], axes: Sequence[str]) -> Sheet:
    """One table of all."""
    known = [*FIRST, *(Column(name=f"axis.{axis}", kind=CellKind.TEXT) for axis in axes)]
    rows = list[Row]()
    columns = dict[str, Column]()
    for point, kept in done:
        own = _of_point(point, kept)
        migrations = next(tables.tables(kept.summary))
        fixed = (each for each in migrations.columns if not each.name.startswith(SETTINGS))
        columns |= {column.name: column for column in fixed if column.name not in columns}
        rows += [own | row for row in _rows(migrations)]
    return table(NAME, [*known, *columns.values()], rows)


def of_cells(found: Sequence[SweptCell], axes: Sequence[str]) -> Sheet:
    """A row a combination, or a migration of what it runs: each figure's mean, its interval, and the model's word."""
    numbers = [
        Column(
            name=f"{each.key}.{end}",
            kind=CellKind.INTEGER if end == "n" else CellKind.NUMBER,
            unit=None if end == "n" else each.unit,
        )
        for each in SHOWN
        for end in ENDS
    ]
    columns = [
        *(Column(name=name, kind=CellKind.TEXT) for name in ("arm", "migration")),
        *(Column(name=f"axis.{axis}", kind=CellKind.TEXT) for axis in axes),
        *(Column(name=name, kind=CellKind.INTEGER) for name in ("ran", "valid")),
    ]
    return table("cells", [*columns, *numbers], [_of_cell(cell) for cell in found])


def _of_cell(cell: SweptCell) -> Row:
    row: Row = {"arm": cell.name, "migration": cell.migration, "ran": cell.ran, "valid": cell.valid}
    row |= {f"axis.{axis}": label(value) for axis, value in cell.settings.items()}
    for key, figure in cell.figures.items():
        found = figure.spread
        known = (found.n, found.mean, found.low, found.high, figure.predicted)
        row |= {f"{key}.{end}": value for end, value in zip(ENDS, known, strict=True)}
    return row


def _of_point(point: Point, kept: KeptPoint) -> Row:
    here = kept.summary.environment
    return {
        "point": point.number,
        "point_repeat": point.repeat,
        "valid_point": kept.summary.valid,
        "id": point.id,
        "arm": point.arm.name,
        "machine": kept.record.machine,
        **{name: here.get(name) for name in ("kernel", "cpu", "commit")},
        **{f"axis.{axis}": label(value) for axis, value in point.arm.settings.items()},
    }


def _rows(made: Sheet) -> Iterator[Row]:
    names = [column.name for column in made.columns]
    return (dict(zip(names, row, strict=True)) for row in zip(*made.values, strict=True))
