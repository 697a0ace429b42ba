"""Writes all of them into docs/slides/pictures, or into the folder that is given."""

import sys
from pathlib import Path

from docs.site.pictures import PICTURES, told

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else told.PICTURES
for name, draw in PICTURES.items():
    (folder / f"{name}.svg").write_text(str(draw()), encoding="utf-8")
