"""What the site has beside the documents' own text: contents, labs with example numbers, links to slides."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx
from sphinx.util import logging

from docs.site import reference
from docs.site.labs import rendered
from testbed.core.errors import TestbedError

ROOT = Path(__file__).resolve().parents[2]
FRONT = "README"
NUMBERS = "*The numbers are those of an example. Yours come with your own folder of the lab.*"
TEACHING = ("README", "week", "lecture", "trust", "beliefs", "writing-a-lab")
"""In the order of reading; a page that is not named comes after them."""
ON_TEACHING = ("docs/labs", "docs/grading")
"""What lies beside the reference and is read by teachers."""


def contents() -> Iterator[tuple[str, list[str]]]:
    """Captions and the pages below each, as they are when the site is built."""
    teaching, reference = _pages("docs/teaching/*.md"), _pages("docs/*.md")
    known = [name for page in TEACHING if (name := f"docs/teaching/{page}") in teaching]
    other = [name for name in ON_TEACHING if name in reference]
    yield "Labs", [*_pages("docs/labs/README.md"), *_pages("labs/[0-9]*/README.md")]
    yield "Teaching", [*known, *(name for name in teaching if name not in known), *other]
    yield "Slides", sorted(_pages("docs/slides/*.md"), key=lambda name: (not name.endswith("README"), name))
    yield "Reference", [name for name in reference if name not in other]
    yield "Project", _pages("C*.md")


def _pages(pattern: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.glob(pattern))


def complete(_app: Sphinx, name: str, source: list[str]) -> None:
    """Puts in what a page has on the site alone; ``source`` holds its text."""
    page = PurePosixPath(name)
    if name == FRONT:
        source[0] += "".join(_toctree(caption, pages) for caption, pages in contents() if pages)
    elif name == reference.PAGE:
        source[0] += reference.directives()
    elif page.match("labs/[0-9]*/README"):
        source[0] = _lab(name, ROOT / page.parent)
    elif page.match("docs/slides/*") and page.name != "README":
        title, _, rest = source[0].partition("\n")
        source[0] = f'{title}\n\n<a href="../../decks/{page.name}.html">Show it as slides</a>\n{rest}'


def _lab(name: str, folder: Path) -> str:
    try:
        title, _, rest = rendered(folder).partition("\n")
    except TestbedError as fault:
        logging.getLogger(__name__).warning(str(fault))
        return f"# {name}"
    return f"{title}\n\n{NUMBERS}\n{rest}"


def _toctree(caption: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def open_pages(app: Sphinx, tree: nodes.document, name: str) -> None:
    """A run's page that a document links is opened, and not saved."""
    up = "../" * name.count("/")
    for link in list(tree.findall(download_reference)):
        if str(link.get("filename", "")).endswith(".html"):
            link.replace_self(nodes.reference("", "", *link.children, refuri=f"{up}_downloads/{link['filename']}"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx asks every extension for this."""
    app.connect("source-read", complete)
    app.connect("doctree-resolved", open_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
