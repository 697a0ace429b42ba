"""A chart as a notebook and a paper have it: in the page's looks, drawn without a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.linux.files import owned
from testbed.report.charts import export


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """``chart`` is Altair's; whatever that has, such as ``properties`` or ``to_dict``, can be asked of this too."""

    name: str
    title: str
    chart: Any

    def svg(self) -> str:
        """The picture that ``figures/`` has, on light ground."""
        with export.unchecked():
            return export.svg({**export.spec(self.chart), "title": self.title})

    def png(self) -> bytes:
        """The picture as ``svg`` draws it, in pixels (PNG)."""
        return export.png(self.svg())

    def save(self, path: str | Path, **known: Any) -> Path:
        """As ``.svg`` or ``.png``; any other ending is Altair's own matter, and so are ``known``."""
        file = Path(path)
        match file.suffix.lower():
            case ".svg":
                owned.write(file, self.svg().encode())
            case ".png":
                owned.write(file, self.png())
            case _:
                self.chart.save(str(file), **known)
        return file

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
