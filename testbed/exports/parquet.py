"""Tables as Parquet, by pyarrow, which is asked for only here: 150 MB that nothing else of ours needs."""

import io
import sys
from typing import Any

from testbed.core.errors import PrerequisiteMissing
from testbed.exports.cells import CellKind, Sheet


def required(who: str = "--parquet") -> None:
    """Raises ``PrerequisiteMissing``, with what installs it, where there is no pyarrow; ``who`` needs it."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise PrerequisiteMissing(f"{who} needs pyarrow", f"{sys.prefix}/bin/pip install pyarrow") from error


def content(table: Sheet) -> bytes:
    """The bytes of a Parquet file."""
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(arrow(table), file)
    return file.getvalue()


def arrow(table: Sheet) -> Any:
    """A ``pyarrow.Table``. A column's unit is in its metadata, under ``unit``."""
    import pyarrow

    kinds = {
        CellKind.INTEGER: pyarrow.int64(),
        CellKind.NUMBER: pyarrow.float64(),
        CellKind.TRUTH: pyarrow.bool_(),
        CellKind.TEXT: pyarrow.string(),
    }
    fields = [
        pyarrow.field(each.name, kinds[each.kind], metadata={"unit": each.unit} if each.unit else None)
        for each in table.columns
    ]
    arrays = [pyarrow.array(values, field.type) for values, field in zip(table.values, fields, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))
