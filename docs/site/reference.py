"""The reference of Python's names, made of their docstrings: what is public is on the page."""

from collections.abc import Iterator

import testbed

PAGE = "docs/api"
RETURNED = (
    "testbed.outcomes.predictions.Predictions",
    "testbed.outcomes.compared.Compared",
    "testbed.outcomes.swept.Swept",
    "testbed.outcomes.swept.SweepPoint",
    "testbed.outcomes.table.RunTable",
    "testbed.report.drawing.shown.Shown",
)
"""What no name of ``testbed`` itself stands for."""


def directives() -> str:
    """What stands on the page: what is called, what that returns, and what it raises."""
    parts = {"is called": _functions(), "that returns": _classes(), "that raises": _faults()}
    return "\n".join(["", *(line for what, lines in parts.items() for line in (f"## What {what}", "", *lines))])


def _functions() -> Iterator[str]:
    for name in testbed.__all__:
        if name.islower() and not name.startswith("_"):
            yield from _block(f".. autofunction:: testbed.{name}")


def _classes() -> Iterator[str]:
    for name in ("testbed.Run", *RETURNED):
        yield from _block(f".. autoclass:: {name}", "   :members:", "   :member-order: bysource")


def _faults() -> Iterator[str]:
    for name in testbed.__all__:
        if name[0].isupper() and issubclass(getattr(testbed, name), BaseException):
            yield from _block(f".. autoexception:: testbed.{name}")


def _block(*lines: str) -> Iterator[str]:
    yield from ("```{eval-rst}", *lines, "```", "")
