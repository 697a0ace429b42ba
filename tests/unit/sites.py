"""The site of the documents, built as `bootstrap docs` builds it, from a copy of what it is built from."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from tests.unit.documents import ROOT
from tests.unit.test_bootstrap import shell

SITE = "docs/_build/html"
_LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "input": ("src",),
}
_RELATIONS = {"canonical", "next", "prev", "index", "search", "author", "license", "alternate"}
"""What a ``link`` may say without that a browser fetches it."""
_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
_SCRIPT = re.compile(
    r"""(?:fetch|import|importScripts|Worker|EventSource|open|\.src\s*=|\.href\s*=)\s*\(?\s*["'`](\w+:)?//"""
)


def copied(to: Path) -> Path:
    """A checkout of the documents alone."""
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bootstrap"):
        shutil.copy(ROOT / name, to)
    for name in ("docs", "labs"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    return to


def build(checkout: Path) -> "subprocess.CompletedProcess[str]":
    """What `./bootstrap docs` does there, once all is installed."""
    text = (checkout / "bootstrap").read_text(encoding="utf-8").split("\nif ! is_root ", maxsplit=1)[0]
    assert "build_docs() {" in text
    text = re.sub(r"^here=.*$", f"here='{checkout}'", text, flags=re.MULTILINE)
    (checkout / "build").write_text(f"{text}\nvenv='{sys.prefix}'\nbuild_docs\n", encoding="utf-8")
    return shell(f"exec bash '{checkout}/build' docs")


class Page(HTMLParser):
    """What a page loads by itself, what it links, and the names that can be linked in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.names.add(given.get("id", ""))
        self.loads += [given[name] for name in _LOADS.get(tag, ()) if given.get(name)]
        if tag == "link" and not _RELATIONS & set(given.get("rel", "").split()):
            self.loads.append(given.get("href", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += styled(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.loads += styled(data)
        if self._inside == "script":
            self.loads += scripted(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def styled(text: str) -> list[str]:
    """What a style sheet fetches."""
    return [one or other for one, other in _STYLE.findall(text)]


def scripted(text: str) -> list[str]:
    """Where a script fetches from another place that stands in it."""
    return [found[0] for found in _SCRIPT.finditer(text)]


def fetched(site: Path) -> Iterator[tuple[str, str]]:
    """File and address of everything that a built site loads from elsewhere."""
    for file in sorted(path for path in site.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")):
        text = file.read_text(encoding="utf-8")
        match file.suffix:
            case ".html":
                found = Page(text).loads
            case ".js":
                found = scripted(text)
            case _:
                found = styled(text)
        yield from ((str(file.relative_to(site)), each) for each in found if "//" in each and each[:5] != "data:")
