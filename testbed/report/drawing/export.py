"""From chart objects to what a file holds: compact JSON for the page, SVG and PNG for papers, the Vega scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import metadata
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt

from testbed.core.text.from_json import JsonObject
from testbed.core.text.printable import printable
from testbed.report.drawing.theme import PRINT_FONT, VegaLite, config

Chart: TypeAlias = alt.TopLevelMixin
"""Whatever Altair draws."""
DIGITS = 5
SCALE = 2
"""Pixels of a PNG for each of the chart's own."""


def spec(chart: Chart) -> VegaLite:
    """Vega-Lite, not checked against its schema: our tests do that."""
    made: VegaLite = chart.to_dict(validate=False)
    made.pop("config", None)
    return made


def packed(made: VegaLite) -> VegaLite:
    """Vega-Lite with its rows turned into columns (``pack``), numbers of five digits: a fifth of the size or less."""
    return {**made, "datasets": {name: pack(rows) for name, rows in made.get("datasets", {}).items()}}


def pack(rows: Sequence[Mapping[str, object]]) -> JsonObject:
    """``{"n": rows, "columns": {name: [values]}}``; a column of text is ``{"words": [...], "of": [numbers]}``, and
    one that is the same as another ``{"as": its name}``. Where that is shorter, numbers are ``{"runs": [value, how
    often, ...]}``, whole ones ``{"steps": [by how much more than the one before, how often, ...]}``.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    columns: JsonObject = {}
    for name in names:
        column = _column([row.get(name) for row in rows])
        same = next((other for other, known in columns.items() if known == column), None)
        columns[name] = column if same is None else {"as": same}
    return {"n": len(rows), "columns": columns}


def _column(values: list[Any]) -> Any:
    if any(isinstance(value, str) for value in values):
        words = list(dict.fromkeys(values))
        numbers = {word: index for index, word in enumerate(words)}
        return {"words": words, "of": [numbers[value] for value in values]}
    rounded = [float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for value in values]
    choices: list[tuple[int, Any]] = [(len(rounded), rounded)]
    for name, runs in (("runs", _runs(rounded)), ("steps", _runs(_steps(rounded)))):
        choices += [(len(runs) + 1, {name: runs})] if runs else []
    return min(choices, key=lambda choice: choice[0])[1]


def _runs(values: list[Any]) -> list[Any]:
    """A value, how often it follows, the next, and so on."""
    return [part for value, same in groupby(values) for part in (value, sum(1 for _ in same))]


def _steps(values: list[Any]) -> list[int]:
    """How much more each is than the one before, the first than 0; none unless all are whole."""
    if not all(type(value) is int for value in values):
        return []
    return [value - before for before, value in zip([0, *values], values, strict=False)]


def svg(made: VegaLite) -> str:
    """Drawn on light ground."""
    return drawn({**made, "config": {**config(font=PRINT_FONT), "background": "#FFFFFF"}})


def drawn(made: VegaLite) -> str:
    """Drawn by its own config. A character that XML has not ends the library's whole process, and ours with it."""
    import vl_convert

    picture: str = vl_convert.vegalite_to_svg(_shown(made))
    return picture


def pdf(picture: str) -> bytes:
    """An SVG on a page of its own size (PDF), a point for each pixel, its fonts embedded."""
    import vl_convert

    page: bytes = vl_convert.svg_to_pdf(picture)
    return page


def png(picture: str, scale: float = SCALE) -> bytes:
    """An SVG in pixels, twice as many as it is wide unless another scale is given."""
    import vl_convert

    pixels: bytes = vl_convert.svg_to_png(picture, scale=scale)
    return pixels


def unchecked() -> AbstractContextManager[None]:
    """While this lasts charts are not held against Vega-Lite's schema, which takes most of the time they cost.

    Our tests hold every kind of chart against it.
    """
    from altair.utils.schemapi import debug_mode

    return debug_mode(False)


def scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that asks no network, of the version that the charts are written in.

    Bundling takes seconds and always gives the same, so it is kept in the virtual environment if that can be written.
    """
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    kept = Path(sys.prefix, "share", "fast-motion", f"vega-{version}-{metadata.version('vl-convert-python')}.js")
    try:
        return kept.read_text(encoding="utf-8")
    except OSError:
        made: str = vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]  # its stub is wrong
    if sys.prefix != sys.base_prefix:
        _keep(kept, made)
    return made


def embedded(known: Any) -> str:
    """JSON that may stand inside ``<script>``: nothing in it can end the element."""
    text = json.dumps(known, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _shown(part: Any) -> Any:
    """The same with every text as it can be printed."""
    match part:
        case str():
            return printable(part)
        case dict():
            return {_shown(name): _shown(value) for name, value in part.items()}
        case list():
            return [_shown(value) for value in part]
    return part


def _keep(file: Path, text: str) -> None:
    """Whole or not at all. That it cannot be kept costs two seconds the next time, and nothing else."""
    new = file.with_name(f".{file.name}.{id(text):x}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError:
        return
