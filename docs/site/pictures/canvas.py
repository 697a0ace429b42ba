"""A picture for the back row: large letters, thick lines, colours that everybody can tell apart."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 1200, 540
INK, FAINT, GROUND, PALE, EMPTY = "#1b2733", "#5b6875", "#FFFFFF", "#eef2f5", "#d5dce2"
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#007a5a", "#c24a00", "#a9b4be"
"""Okabe and Ito's, green and red a little darker: letters in them can be read, too."""
LETTERS = '"Liberation Sans", "DejaVu Sans", Arial, sans-serif'


class Canvas:
    """An SVG that grows by one mark a call. Its ground is white on every page, by day and by night."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._marks: list[str] = []

    def text(self, x: float, y: float, words: str, *, size: int = 28, fill: str = INK, at: str = "start") -> None:
        """One line; ``**`` at its beginning makes it bold. ``at``: start, middle, end."""
        weight = ' font-weight="bold"' if words.startswith("**") else ""
        self._marks.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="{at}"{weight}>'
            f"{escape(words.removeprefix('**'))}</text>"
        )

    def box(self, x: float, y: float, width: float, height: float, *, fill: str = PALE, line: str = "none") -> None:
        """A rectangle with round corners; ``line`` is the colour of its edge."""
        round_ = min(8.0, width / 4, height / 4)
        self._marks.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round_:.1f}" fill="{fill}"'
            f' stroke="{line}" stroke-width="3"/>'
        )

    def line(self, points: Sequence[tuple[float, float]], *, fill: str = INK, dashed: bool = False) -> None:
        """Straight from point to point."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = ' stroke-dasharray="12 9"' if dashed else ""
        self._marks.append(f'<polyline points="{path}" fill="none" stroke="{fill}" stroke-width="4"{dash}/>')

    def arrow(self, start: tuple[float, float], end: tuple[float, float], *, fill: str = INK) -> None:
        """A line with a head at its end."""
        (x, y), (to_x, to_y) = start, end
        length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        along, across = ((to_x - x) / length, (to_y - y) / length), ((y - to_y) / length, (to_x - x) / length)
        foot = to_x - 20 * along[0], to_y - 20 * along[1]
        head = [(to_x, to_y), *((foot[0] + side * across[0], foot[1] + side * across[1]) for side in (10, -10))]
        self.line([start, foot], fill=fill)
        points = " ".join(f"{each_x:.1f},{each_y:.1f}" for each_x, each_y in head)
        self._marks.append(f'<polygon points="{points}" fill="{fill}"/>')

    def cross(self, x: float, y: float, *, fill: str = RED) -> None:
        """What is lost."""
        for rise in (16, -16):
            self.line([(x - 16, y - rise), (x + 16, y + rise)], fill=fill)

    def __str__(self) -> str:
        size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{escape(LETTERS)}" role="img">'
        ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{GROUND}"/>'
        return "\n".join([head, f"<title>{escape(self._title)}</title>", ground, *self._marks, "</svg>", ""])
