"""The page as HTML: one template, one style sheet, one script, and Vega's, all inside the one file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from testbed.core.records.migration import MigrationRecord
from testbed.model.full_scale import at_real_size
from testbed.report.charts.sizes import is_scaled
from testbed.report.drawing import export, theme
from testbed.report.page.figures import Figure
from testbed.report.page.model import Page, Section
from testbed.report.side.measures import throttled_s
from testbed.report.words import answers, services
from testbed.report.words import page as page_words
from testbed.report.words.summary import proof

TEMPLATES = Path(__file__).parents[1] / "templates"
OPENED = 3
"""With more migrations than these, those after the first are folded."""


def _real(record: MigrationRecord) -> MigrationRecord:
    """A migration at real-world size; the same where it was not scaled."""
    return at_real_size(record) if is_scaled([record]) else record


WORDS = {"words": page_words, "service_words": services, "proof": proof, "real": _real}


def html(page: Page) -> str:
    """The whole page. Text from the run is escaped; nothing in it can become markup or script."""
    return render(
        "page.html.j2",
        page.figures,
        summary=page.summary,
        page=page,
        real_summary=replace(page.summary, migrations=[_real(each) for each in page.summary.migrations]),
        opened=OPENED,
        scale=_scale([section.migration for section in page.sections]),
        throttled=any(throttled_s(each) for each in page.summary.migrations),
        answers=answers,
        environment=flat(page.summary.environment),
        **WORDS,
    )


def section_html(section: Section) -> str:
    """One migration's part alone, folded: for a page that is there already, with the script and style of ``render``."""
    made = templates().get_template("section.html.j2")
    return made.render(section=section, opens=False, scale=_scale([section.migration]), **WORDS)


def render(template: str, figures: Sequence[Figure], **known: Any) -> str:
    """A template of ours with our style, our script, Vega's, and these charts in it. What is no text (a folder's name
    may hold any bytes) stands there by its number, in charts too.
    """
    made = templates().get_template(template)
    page = made.render(
        style=raw("page.css"),
        script=raw("page.js"),
        sizes=raw("size.js"),
        time_axis=raw("time.js"),
        memory_map=raw("memory.js"),
        vega=Markup(export.scripts()),  # noqa: S704 - the library itself
        charts=packed(figures),
        themes=_json({"light": theme.config(), "dark": theme.config(dark=True)}),
        **known,
    )
    return page.encode(errors="backslashreplace").decode()


def packed(figures: Sequence[Figure]) -> Markup:
    """Charts as JSON, by name, for a script element; a live page is fed with the same."""
    return _json({figure.name: figure.packed() for figure in figures})


@cache
def templates() -> jinja2.Environment:
    """Ours, escaping by default, and failing on a name that is not there. What was read once is kept: a process that
    gave up its rights may not be able to read it again.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        auto_reload=False,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["unsized"] = services.unsized
    return made


@cache
def raw(name: str) -> Markup:
    """One of our own files, put in as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


def flat(known: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings as rows of ``a.b`` and text."""
    rows: list[tuple[str, str]] = []
    for name, value in known.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list) else _plain(value)))
    return rows


def _plain(value: Any) -> str:
    return page_words.NOTHING if value is None else str(value).replace("\t", " ")


def _scale(migrations: Sequence[MigrationRecord]) -> str:
    """How they were scaled down, in words; empty where they were not."""
    found = {(each.scale["size"], each.scale["time"]) for each in migrations}
    if found <= {(1.0, 1.0)}:
        return ""
    return "; ".join(
        f"rates divided by {size:g}, memory by {size * time:g}, times by {time:g}" for size, time in sorted(found)
    )


def _json(known: Any) -> Markup:
    return Markup(export.embedded(known))  # noqa: S704 - escaped for a script element
