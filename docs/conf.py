"""How the documents become a site: `./bootstrap docs`. Slides have a file of their own, slides/conf.py.

The source folder is the whole checkout, so that a link means the same on the site, in an editor and beside code. The
documents stay plain Markdown; what only a site needs, its contents above all, is put in by site/pages.py.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

project = author = html_title = "Fast Motion"
copyright = "Fast Motion contributors, MIT licence"
extensions = ["myst_parser", "docs.site.pages", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
# All else in a checkout is not even looked into: environments, runs, whatever lies there.
KEPT = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "labs"}
exclude_patterns = [path.name for path in HERE.parent.iterdir() if path.name not in KEPT] + ["docs/_build"]
include_patterns = ["*.md", "docs/**", "labs/[0-9]*/README.md"]
nitpicky = True
# Of the reference of Python's names: a type in a signature is a word, and leads nowhere.
nitpick_ignore_regex = [("py:.*", ".*")]
add_module_names = False
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
highlight_language = "text"
myst_heading_anchors = 4

html_theme = "furo"
html_static_path = ["site/static"]
html_js_files = ["site.js"]
html_css_files = ["site.css"]
templates_path = ["site/templates"]
html_additional_pages = {"index": "index.html"}
html_copy_source = html_use_index = html_show_sourcelink = False
