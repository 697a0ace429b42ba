"""A chart as a notebook and a paper have it: in the page's looks, drawn without a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.linux.files import owned
from testbed.report.drawing import export, paper
from testbed.report.drawing.theme import VegaLite
from testbed.runfiles.folder import ANOTHER_FILE, writing


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A chart that a notebook shows. ``chart`` is Altair's; whatever that has, such as ``properties`` or ``to_dict``,
    can be asked of this too.

    Attributes:
        name: as it stands in ``charts`` and in ``figures/``.
        title: what is seen, in words.
        chart: Altair's own chart, to go on with.

    Example:
        >>> testbed.load("results/hello-20260101-120000").charts["timeline-hello"]
        <chart timeline-hello: Rounds on one time axis>
    """

    name: str
    title: str
    chart: Any

    def svg(self, width: str | float | None = None) -> str:
        """The picture that ``figures/`` has, on light ground; with a ``width``, as a paper has it (``save``).

        Args:
            width: as in ``save``.

        Returns:
            The SVG. Its texts are texts, in DejaVu Sans or what stands in for it.

        Raises:
            ScenarioError: there is no such width.

        Example:
            >>> testbed.load("results/hello-20260101-120000").charts["timeline-hello"].svg()[:4]
            '<svg'
        """
        if width is not None:
            return paper.svg(self._spec(), width)
        with export.unchecked():
            return export.svg({**self._spec(), "title": self.title})

    def png(self, width: str | float | None = None) -> bytes:
        """The picture as ``svg`` draws it, in pixels: two for each of the page's, or 600 an inch of a paper.

        Args:
            width: as in ``save``.

        Returns:
            The PNG.

        Raises:
            ScenarioError: there is no such width.

        Example:
            >>> testbed.load("results/hello-20260101-120000").charts["timeline-hello"].png()[1:4]
            b'PNG'
        """
        drawn = self.svg(width)
        return export.png(drawn) if width is None else export.png(drawn, paper.DOTS / paper.PIXELS)

    def pdf(self, width: str | float | None = None) -> bytes:
        """The picture on a page of its own size, its fonts embedded (TrueType, no Type 3).

        Args:
            width: as in ``save``.

        Returns:
            The PDF.

        Raises:
            ScenarioError: there is no such width.

        Example:
            >>> testbed.load("results/hello-20260101-120000").charts["timeline-hello"].pdf(width="column")[:4]
            b'%PDF'
        """
        return export.pdf(self.svg() if width is None else paper.svg(self._spec(), width, unit=""))

    def save(self, path: str | Path, *, width: str | float | None = None, **known: Any) -> Path:
        """Writes the chart into a file: ``.pdf``, ``.svg`` or ``.png``; any other ending is Altair's own matter.

        Args:
            path: the file. One that is there is replaced.
            width: for a paper. ``"column"`` and ``"text"`` are IEEE's 3.5 and 7.16 inches; there are ``"acm-column"``
                (3.33), ``"acm-text"`` (7.0), ``"usenix-column"``, ``"usenix-text"`` and ``"lncs-text"`` (4.8), too, or
                it is a number of inches from 1 to 40. The chart is laid out anew for it: type of 7 and 8 points, no
                title. Without one it is as on the page.
            known: what Altair's ``save`` takes, for another ending.

        Returns:
            The file's path.

        Raises:
            ScenarioError: there is no such width, or this ending has none.
            TestbedError: the file cannot be written.

        Example:
            >>> run = testbed.load("results/hello-20260101-120000")
            >>> run.charts["timeline-hello"].save("timeline.pdf", width="column").name
            'timeline.pdf'
        """
        file = Path(path)
        with writing(file.parent, ANOTHER_FILE):
            match file.suffix.lower():
                case ".pdf":
                    owned.write(file, self.pdf(width))
                case ".svg":
                    owned.write(file, self.svg(width).encode())
                case ".png":
                    owned.write(file, self.png(width))
                case ending if width is not None:
                    raise ScenarioError(f"'{ending}' has no width of a paper; name it .pdf, .svg or .png")
                case _:
                    self.chart.save(str(file), **known)
        return file

    def _spec(self) -> VegaLite:
        with export.unchecked():
            return export.spec(self.chart)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows."""
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def _repr_svg_(self) -> str:
        return self.svg()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a notebook asks for more of these than there are
            raise AttributeError(name)
        return getattr(self.chart, name)

    def __repr__(self) -> str:
        return f"<chart {self.name}: {self.title}>"
