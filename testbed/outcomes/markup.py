"""What a notebook shows of a run: small tables in the notebook's own colours, light or dark, that ask for nothing.

No colour is named but by ``currentColor``, and every text of a run is escaped: its names are whatever somebody wrote.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from testbed.core.text.printable import printable
from testbed.report.words.tables import Fitting

MOST = 12
"""Rows of a table that are shown, where nobody says another number."""
_CELL = "padding:1px 8px;vertical-align:top;background:none;border:0;white-space:nowrap;text-align:"


def block(title: str, lines: Iterable[str], tables: Iterable[Fitting] = (), most: int = MOST) -> str:
    """A title, lines of text, and tables, of which the first ``most`` rows are shown."""
    parts = [f"<strong>{_text(title)}</strong>", *(f"<div>{_text(line)}</div>" for line in lines)]
    parts += [_table(each.titles, each.rows[:most], each.prose, len(each.rows) - most) for each in tables]
    return f'<div class="fast-motion">{"".join(parts)}</div>'


def html_of(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str, left_out: int = 0) -> str:
    """One table under its title; ``left_out``: how many rows it has beside these."""
    return f'<div class="fast-motion"><strong>{_text(title)}</strong>{_table(heads, rows, (), left_out)}</div>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], prose: Sequence[str], left_out: int) -> str:
    styles = [_style(head, prose) for head in heads]
    top = "".join(
        f'<th scope="col" style="{style}">{_text(head.lstrip(">"))}</th>'
        for head, style in zip(heads, styles, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{style}">{_text(cell)}</td>' for cell, style in zip(row, styles, strict=True))
        + "</tr>"
        for row in rows
    )
    more = f"<div>and {left_out:,} more rows</div>" if left_out > 0 else ""
    scroll = '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:4px 0;font-size:inherit">'
    rule = 'style="border-bottom:1px solid currentColor"'
    return f"{scroll}<thead><tr {rule}>{top}</tr></thead><tbody>{body}</tbody></table></div>{more}"


def _style(head: str, prose: Sequence[str]) -> str:
    style = f"{_CELL}{'right' if head.startswith('>') else 'left'}"
    return style.replace("nowrap", "normal") if head in prose else style


def _text(text: str) -> str:
    return escape(re.sub(r"\s+", " ", printable(text)))
