"""Pictures of the slides that no run draws: `.venv/bin/python -m docs.site.pictures`, from the checkout.

canvas ── what is drawn on          bars ── figures out of the model
told ──── what happens, in order    __main__ ── writes them all
"""

from collections.abc import Callable, Mapping

from docs.site.pictures import bars, told
from docs.site.pictures.canvas import Canvas

PICTURES: Mapping[str, Callable[[], Canvas]] = {
    "talk-learns": told.learns,
    "talk-frames": told.frames,
    "throttles": bars.throttles,
    "faults-table": told.plugs,
    "faults-generals": told.generals,
    "link": bars.link,
    "evacuate": bars.evacuate,
    "lost-page": told.lost,
    "arena-prices": bars.prices,
    "arena-intervals": bars.arena,
}
"""By the names of their files."""
