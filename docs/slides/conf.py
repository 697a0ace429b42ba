"""How each file of this folder becomes a deck of slides: a heading of the second level is a slide.

They are decks of reveal.js, which comes along; nothing is fetched from elsewhere.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

project = author = "Fast Motion"
extensions = ["myst_parser", "sphinx_revealjs", "docs.site.decks"]
root_doc = "README"
include_patterns = ["*.md"]
html_copy_source = False
templates_path = ["templates"]
suppress_warnings = ["toc.not_included"]
highlight_language = "text"

revealjs_static_path = ["static"]
revealjs_css_files = ["slides.css"]
revealjs_js_files = ["slides.js"]
revealjs_style_theme = "white"
revealjs_script_conf = {
    "hash": True,
    "center": False,
    "transition": "none",
    "width": 1280,
    "height": 720,
    "controlsBackArrows": "visible",
}
