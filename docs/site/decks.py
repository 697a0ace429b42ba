"""Decks of slides without what they do not use: most of reveal.js's themes fetch fonts from elsewhere."""

from pathlib import Path
from shutil import rmtree

from sphinx.application import Sphinx

REVEAL = "_static/revealjs"


def pare(app: Sphinx, fault: Exception | None) -> None:
    """Leaves of reveal.js the script, its styles, the one theme and the theme's fonts."""
    reveal = Path(app.outdir) / REVEAL
    if fault is not None or not reveal.is_dir():
        return
    for folder in (reveal / "css", reveal / "plugin"):
        rmtree(folder, ignore_errors=True)
    themes = [
        path for path in (reveal / "dist" / "theme").glob("*.css") if path.stem != app.config.revealjs_style_theme
    ]
    for path in (*themes, *(reveal / "dist").glob("*.map"), *(reveal / "dist").glob("*.esm.js")):
        path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx asks every extension for this."""
    app.connect("build-finished", pare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
