"""The page of a run: what it says, that it is one file without network, that it stays small and quick, and old runs."""

import json
import time
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import ComparisonRecord, MemoryRecord
from testbed.report.drawing import export
from testbed.report.page import page
from testbed.report.page.html import html
from testbed.report.words import page as page_words
from tests.unit.records import a_migration, a_prediction, a_summary
from tests.unit.runs import kept, made, with_pages, with_samples

SETTING = "network.vmotion.rate"
CLAIM = ComparisonRecord(
    name="total_time vm.ram=128GiB",
    over=SETTING,
    a="10Gbit",
    b="40Gbit",
    reduction=0.8,
    measured=0.8,
    published=0.88,
    source="an article",
)


class Parsed(HTMLParser):
    """The page's text, its elements by id, what it refers to, and whether every element is closed."""

    empty = frozenset({"meta", "link", "br", "input", "!doctype"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.words: list[str] = []
        self.scripts: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [known["id"]] if known.get("id") else []  # type: ignore[list-item]
        self.references += [value for name in ("src", "href") if (value := known.get(name)) is not None]
        if tag not in self.empty:
            self._open.append((tag, known.get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "script":
            self.scripts[name] = self.scripts.get(name, "") + data
        elif tag != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = kept(tmp_path_factory.mktemp("page") / "run")
    assert page.write(folder) == folder / "report.html"
    return folder


def parsed(folder: Path) -> Parsed:
    return Parsed((folder / "report.html").read_text(encoding="utf-8"))


def test_a_run_of_schema_1_has_its_page(real: Path) -> None:
    """This folder is never renewed: what was kept once can be reported for ever."""
    seen = parsed(real)
    for words in ("valid: every check held", "memory equal", "accounts closed", "link proved", "one runner"):
        assert words in seen.text
    assert "The guest moved with 256 MB of memory in 2.7 s" in seen.text
    assert "went on after round 1" in seen.text and "uffd-wp" in seen.text and "6.12.0" in seen.text
    assert {"timeline-hello", "switchover-hello", "memory-hello"} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))


def test_it_is_one_file_that_asks_for_nothing(real: Path) -> None:
    seen = parsed(real)
    assert all(each.startswith(("#", "data:")) for each in seen.references)
    text = (real / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text and "connect-src" not in text
    assert (real / "report.html").stat().st_size < 3e6


def test_charts_are_files_too(real: Path) -> None:
    names = {file.name for file in (real / "figures").iterdir()}
    assert names == {f"{c}-hello.{end}" for c in ("timeline", "switchover", "memory") for end in ("svg", "png")}
    assert (real / "figures" / "timeline-hello.svg").read_text().startswith("<svg")
    assert (real / "figures" / "timeline-hello.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_an_earlier_page_go(tmp_path: Path) -> None:
    folder = made(tmp_path / "run")
    (folder / "figures").mkdir()
    (folder / "figures" / "old.svg").touch()
    (folder / "figures" / "notes.txt").touch()
    page.rebuild(folder)
    names = {file.name for file in (folder / "figures").iterdir()}
    assert "old.svg" not in names and "notes.txt" in names and "timeline-opvizor.png" in names


def test_charts_are_packed_and_complete(real: Path) -> None:
    charts = json.loads(parsed(real).scripts["charts"])
    (data,) = charts["memory-hello"]["datasets"].values()
    assert {len(column(data["columns"], name)) for name in data["columns"]} == {data["n"]}
    assert [param["name"] for param in charts["memory-hello"]["params"]] == ["chosen", "shown"]


def test_text_from_a_run_is_never_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=http://example.org/x>"
    done = a_migration(name=evil, reason=evil, rounds=[])
    done.rounds = a_migration().rounds
    done.rounds[0].decision = evil
    folder = made(tmp_path / "run", a_summary(done, a_migration(name=evil, repeat=2)), scenario=f"name: x # {evil}\n")
    page.rebuild(folder)
    seen = parsed(folder)
    assert len(seen.scripts) == 3 and not [each for each in seen.references if "example.org" in each]
    assert "alert(1)" in seen.text


def test_an_invalid_run_says_so_first(tmp_path: Path) -> None:
    done = a_migration(
        outcome="aborted",
        reason="the link was cut",
        total_time_s=None,
        memory=MemoryRecord(match=False, method="m"),
        valid=False,
    )
    summary = a_summary(done)
    summary.valid, summary.invalid_reasons = False, ["opvizor: the link was cut"]
    page.rebuild(made(tmp_path / "run", summary))
    text = parsed(tmp_path / "run").text
    assert text.index("not valid") < text.index("opvizor: the link was cut") < text.index("memory equal")
    assert "No migration completed: the link was cut." in text and "FAILED: not so in 1 of 1 migrations" in text


def test_several_migrations_stand_beside_what_was_published(tmp_path: Path) -> None:
    settings = [{"vm.ram": "128GiB", SETTING: rate} for rate in ("10Gbit", "40Gbit")]
    both = [a_migration(name=f"rate={each[SETTING]}", settings=each) for each in settings]
    folder = made(tmp_path / "run", a_summary(*both, comparisons=(CLAIM,)))
    page.rebuild(folder)
    seen = parsed(folder)
    assert "From 10Gbit to 40Gbit the total time falls by 80.0% (published: 88%), vm.ram 128GiB." in seen.text
    assert {"published-share", "completion", "bandwidth", "m-rate-10gbit", "m-rate-40gbit"} <= set(seen.ids)
    assert "an article" in seen.text and "-8.0 points" in seen.text


def test_measured_against_predicted() -> None:
    rows = page_words.predicted(a_migration())
    assert rows[0] == ("total time", "21.4 s", "21.3 s", "+0.4%") and rows[2] == ("rounds", "5", "5", "+0")
    left_to_chance = page_words.predicted(a_migration(predicted=a_prediction()))
    assert left_to_chance[0] == ("total time", "21.4 s", "21.0 to 21.9 s", "within")
    assert left_to_chance[2] == ("rounds", "5", "6 to 7", "-1")
    assert page_words.predicted(a_migration(predicted=None)) == []


@pytest.mark.parametrize("damage", ["", "{}", "not JSON"])
def test_what_cannot_be_shown_is_one_line_and_never_fails_the_run(tmp_path: Path, damage: str) -> None:
    said: list[str] = []
    (tmp_path / "summary.json").write_text(damage)
    assert page.write(tmp_path, said.append) is None
    assert len(said) == 1 and "\n" not in said[0] and "the page was not written" in said[0]
    with pytest.raises(ScenarioError):
        page.rebuild(tmp_path)


def test_many_migrations_stay_under_three_megabytes(tmp_path: Path) -> None:
    """All of them with samples, and with pictures of memory of thirty rounds."""
    many = [a_migration(name=f"m{index}", total_time_s=20.0) for index in range(30)]
    folder = with_pages(with_samples(made(tmp_path / "run", a_summary(*many)), many[0], 22), many[0], 30)
    for name in ("samples.jsonl", "pages.jsonl"):
        of_one = (folder / name).read_text(encoding="utf-8")
        assert '"m0"' in of_one
        (folder / name).write_text("".join(of_one.replace('"m0"', f'"{each.name}"') for each in many), encoding="utf-8")
    text = html(page.load(folder))
    assert text.count("memory-m") >= 30 and len(text.encode()) < 3e6


def test_what_takes_time_is_the_drawing_and_not_the_samples(tmp_path: Path) -> None:
    """Three minutes of samples cost little more than none, in one and the same process: a ratio, no time."""
    done = a_migration(total_time_s=178.0)
    folder = made(tmp_path / "run", a_summary(done))
    page.rebuild(folder)
    without = _lasts(folder)
    with_samples(folder, done, 180)
    lines = len((folder / "samples.jsonl").read_text().splitlines())
    read = _parsing(folder)
    assert lines > 80_000
    assert min(_lasts(folder) for _ in range(2)) < 2 * without + 6 * read


def _lasts(folder: Path) -> float:
    begun = time.process_time()
    page.rebuild(folder)
    return time.process_time() - begun


def _parsing(folder: Path) -> float:
    begun = time.process_time()
    for line in (folder / "samples.jsonl").read_text().splitlines():
        json.loads(line)
    return time.process_time() - begun


def column(columns: dict[str, Any], name: str) -> list[Any]:
    """As page.js reads it."""
    match columns[name]:
        case list(values):
            return values
        case {"as": other}:
            return column(columns, other)
        case {"runs": runs}:
            return repeated(runs)
        case {"steps": steps}:
            return list(accumulate(repeated(steps)))
        case {"words": words, "of": numbers}:
            return [words[number] for number in numbers]
    raise AssertionError(columns[name])


def repeated(runs: list[Any]) -> list[Any]:
    return [value for value, often in zip(runs[::2], runs[1::2], strict=True) for _ in range(often)]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1.23456789, "b": "x"}, {"a": 2.0, "b": "y"}, {"a": 2.0, "b": "x"}],
        [{"low": 1.0, "high": 1.0}],
        [],
        [{"n": n, "same": 0.5, "some": None if n % 3 else 1, "jumps": n * n} for n in range(40)],
    ],
)
def test_packing_loses_nothing_but_digits(rows: list[dict[str, Any]]) -> None:
    packed: Any = export.pack(rows)
    columns = packed["columns"]
    unpacked = [{name: column(columns, name)[row] for name in columns} for row in range(packed["n"])]
    assert unpacked == [{k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in row.items()} for row in rows]
