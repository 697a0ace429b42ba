"""Grids for tests of sweeps: small ones, whose points take milliseconds."""

from pathlib import Path
from textwrap import dedent

AXES = "vm.workload.write_rate: [12MB/s, 24MB/s], network.vmotion.goodput: [500Mbit, 900Mbit]"


def grid(folder: Path, keys: str = "repeats: 2", axes: str = AXES, more: str = "") -> Path:
    """A file of four combinations of ``hello``, twice each; ``keys`` of its sweep and ``more`` of its scenario."""
    text = f"extends: hello\nengine: simulated\n{dedent(more)}sweep:\n  axes: {{{axes}}}\n"
    file = folder / "grid.yaml"
    file.write_text(text + "".join(f"  {line}\n" for line in keys.splitlines()), encoding="utf-8")
    return file


def points(out: Path) -> list[str]:
    """The ids of the points that are there."""
    return sorted(each.name for each in (out / "points").iterdir())
