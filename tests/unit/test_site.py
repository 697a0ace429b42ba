"""The site: all documents, whole and joined up, from whatever labs there are, and it asks nobody for anything."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

import testbed
from testbed.cli import main
from testbed.linux.files import installed
from testbed.web.folder import site
from tests.unit.documents import ROOT
from tests.unit.sites import SITE, Page, build, copied, fetched, scripted, styled
from tests.unit.test_web_runs import get, serving_app


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copied(tmp_path_factory.mktemp("checkout"))
    done = build(made)
    assert done.returncode == 0, done.stderr
    told = f"{made / SITE}: open index.html, or {made}/bootstrap docs --port 8080"
    assert done.stderr.splitlines()[-1] == f"bootstrap: the site is in {told}"
    return made


@pytest.fixture(scope="module")
def built(checkout: Path) -> Path:
    return checkout / SITE


def pages(built: Path) -> Iterator[tuple[Path, Page]]:
    for file in sorted(built.rglob("*.html")):
        if "_downloads" not in file.parts:
            yield file, Page(file.read_text(encoding="utf-8"))


def test_every_document_is_a_page_and_every_deck_one_of_slides(built: Path) -> None:
    documents = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts]
    documents += [path.relative_to(ROOT) for path in ROOT.glob("labs/[0-9]*/README.md")]
    assert len(documents) > 15
    assert [name for name in documents if not (built / name.with_suffix(".html")).is_file()] == []
    decks = [path.stem for path in (ROOT / "docs" / "slides").glob("[0-9]*.md")]
    assert len(decks) >= 4 and [name for name in decks if not (built / f"decks/{name}.html").is_file()] == []


def test_every_link_and_every_picture_leads_somewhere(built: Path) -> None:
    seen = dict(pages(built))
    astray = []
    for file, page in seen.items():
        for link in page.links + page.loads:
            path, _, name = unquote(link).partition("#")
            if re.match(r"\w+:", link) or link in ("", "#"):
                continue
            to = (file.parent / path.split("?")[0]).resolve() if path else file
            found = seen[to].names if to in seen else None
            slide = "decks" in file.parts and name.startswith("/")
            if not to.is_file() or (name and found is not None and name not in found and not slide):
                astray.append((str(file.relative_to(built)), link))
    assert len(seen) > 20 and astray == []


def test_the_front_page_is_the_readme_and_leads_to_all_others(built: Path) -> None:
    assert "README.html" in (built / "index.html").read_text(encoding="utf-8")
    front = Page((built / "README.html").read_text(encoding="utf-8"))
    for page in ("docs/labs/README", "docs/teaching/README", "docs/slides/README", "docs/scenario", "docs/audit"):
        assert f"{page}.html" in front.links


def test_pythons_names_are_on_a_page_of_their_own(built: Path) -> None:
    text = (built / "docs" / "api.html").read_text(encoding="utf-8")
    names = Page(text).names
    assert {f"testbed.{name}" for name in testbed.__all__ if not name.startswith("_")} <= names
    assert {"testbed.Run.table", "testbed.outcomes.compared.Compared.overlay"} <= names
    assert all(text.count(f"{head}<") >= 4 for head in ("Parameters", "Returns", "Raises")) and "&gt;&gt;&gt; " in text


def test_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    assert list(fetched(built)) == []


@pytest.mark.parametrize(
    "found",
    [
        *(Page(text).loads for text in (
            '<script src="https://cdn.example/x.js"></script>', '<link rel="stylesheet" href="//cdn.example/x.css">',
            '<img src="http://a.example/x.png">', '<style>@import "https://fonts.example/x";</style>',
            '<p style="background: url(https://a.example/x)">', "<script>fetch('https://a.example/x')</script>",
        )),
        styled("@font-face{src:url(https://fonts.example/x.woff)}"), scripted('var s=1;s.src="https://a.example/x"'),
    ],
)  # fmt: skip
def test_what_would_be_is_found(found: list[str]) -> None:
    assert len(found) == 1 and "//" in found[0]


def shortened(checkout: Path) -> None:
    """Of each document its title, and no lab but the first: built in a fraction of the time."""
    for lab in checkout.glob("labs/[0-9]*"):
        if lab.name[:2] != "00":
            shutil.rmtree(lab)
    for file in (*(checkout / "docs").rglob("*.md"), *checkout.glob("*.md")):
        if "_build" not in file.parts:
            title = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# "))
            file.write_text(f"{title}\n", encoding="utf-8")


def test_what_leads_nowhere_or_cannot_be_shown_is_said_and_what_was_built_stays(checkout: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(checkout, tmp_path / "broken")
    shortened(broken)
    (broken / "docs" / "audit.md").write_text("# Audit\n\n[nowhere](not-there.md)\n", encoding="utf-8")
    (broken / "docs" / "added.md").write_text("# Added\n\n![none](none.svg)\n", encoding="utf-8")
    (broken / "labs" / "99-broken").mkdir(parents=True)
    (broken / "labs" / "99-broken" / "README.md").write_text("# Lab 99\n\n{{ nothing }}\n", encoding="utf-8")
    done = build(broken)
    assert done.returncode == 1 and "docs/audit.md:3" in done.stderr and "not-there.md" in done.stderr
    assert "labs/99-broken: no lab lies here" in done.stderr
    assert "docs/added.md:3" in done.stderr and done.stderr.splitlines()[-1].startswith("bootstrap: the site was not b")
    assert (broken / SITE / "docs" / "audit.html").read_text() == (checkout / SITE / "docs" / "audit.html").read_text()
    assert [path.name for path in (broken / SITE).parent.iterdir()] == ["html"]


def test_labs_are_those_that_there_are(checkout: Path, tmp_path: Path) -> None:
    """None is enough, and what is no lab is no page."""
    without = shutil.copytree(checkout, tmp_path / "without", ignore=shutil.ignore_patterns("labs", "slides", "_build"))
    (without / "docs" / "labs").mkdir()
    shutil.copytree(checkout / "docs" / "labs", without / "docs" / "labs", dirs_exist_ok=True)
    shutil.copytree(checkout / "docs" / "slides", without / "docs" / "slides")
    shortened(without)
    (without / "docs" / "added.md").write_text("# Added since\n", encoding="utf-8")
    done = build(without)
    assert done.returncode == 0, done.stderr
    assert not (without / SITE / "labs").exists() and (without / SITE / "docs" / "added.html").is_file()


# ---- testbed docs ----------------------------------------------------------------------------------------------------


def test_it_is_served_with_what_its_pages_need_and_nothing_else(built: Path, tmp_path: Path) -> None:
    served = shutil.copytree(built, tmp_path / "html")
    (tmp_path / "secret.txt").write_text("secret")
    (served / "link.txt").symlink_to(tmp_path / "secret.txt")
    with serving_app(site(served)) as url:
        status, front = get(url)
        assert status == 200 and b"README.html" in front
        assert get(f"{url}/searchindex.js")[0] == get(f"{url}/decks/README.html")[0] == 200
        for path in ("link.txt", "%2e%2e/secret.txt", "docs/../../secret.txt", "docs", "none.html", "%00", "x" * 300):
            status, said = get(f"{url}/{path}")
            assert status == 404 and b"secret" not in said, path


def test_what_is_not_built_says_what_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed, "ROOT", tmp_path)
    assert main(["docs"]) == 3
    assert "this package has no documents in it; see them in a checkout: ./bootstrap docs" in capsys.readouterr().err
    (tmp_path / "bootstrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bootstrap").chmod(0o755)
    assert main(["docs"]) == 3
    assert f"build it with: {tmp_path}/bootstrap docs" in capsys.readouterr().err


def test_build_builds_first_and_a_failure_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed, "ROOT", tmp_path)
    script = tmp_path / "bootstrap"
    script.write_text("#!/bin/sh\necho why >&2\nexit 1\n")
    script.chmod(0o755)
    assert main(["docs", "--build"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    script.write_text(f'#!/bin/sh\nmkdir -p "{tmp_path / SITE}" && echo "$@" >"{tmp_path / SITE}/index.html"\n')
    monkeypatch.setattr("testbed.web.folder.until_interrupted", lambda *_given: None)
    assert main(["docs", "--build"]) == 0
    assert (tmp_path / SITE / "index.html").read_text() == "docs\n"
