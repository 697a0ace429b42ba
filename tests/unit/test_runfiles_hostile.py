"""A run's files may be anybody's: what stands in them is a figure, plain text, or a line that says what is wrong."""

import copy
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.report.page import page
from testbed.report.page.html import html
from testbed.report.side import comparison
from testbed.report.side import page as side_page
from testbed.runfiles import files
from testbed.runfiles.summary_reader import read
from tests.unit.runs import KEPT, kept
from tests.unit.test_report_page import Parsed
from tests.unit.test_runfiles_agreement import changed

EVIL = "</script><script>alert(1)</script><img src=http://example.org/x onerror=alert(2)>\x1b[31m\x1b]0;x\x07\u202e"
HOSTILE: list[Any] = [
    1e308, -1e308, 1e-320, float("nan"), float("inf"), -1, -0.0, 0, 10**18, 10**19, 10**400, 0.5, True, None, "", EVIL,
    "\ud800", "\x00", "9" * 5000, [], {}, [[]], {"a": 1}, ["x"], [None], {"size": 0, "time": 1},
    {"size": 1e-30, "time": 1e18},
]  # fmt: skip
FILES = ("summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml")
FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As small as a run can be, and made by this version."""
    out = tmp_path_factory.mktemp("hostile") / "run"
    return testbed.run("no-convergence", engine="simulated", out=out, page=False).path


def paths(known: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    parts = list(known.items() if isinstance(known, dict) else enumerate(known) if isinstance(known, list) else ())
    return [path for path in [path] if path] + [each for key, part in parts for each in paths(part, (*path, key))]


def fresh(source: Path, target: Path) -> Path:
    """A copy that may be spoilt."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in FILES:
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    return target


def survives(folder: Path) -> str | None:
    """The page, if it can be made; else nothing, and one line was said that names the folder."""
    try:
        return html(page.load(folder))
    except ScenarioError as error:
        assert str(folder) in str(error) and "\n" not in printable(str(error))
        return None


def is_harmless(text: str) -> bool:
    """Nothing that stood in a file became an element."""
    seen = Parsed(text)
    return (
        "<img src=http" not in text and "<script>alert" not in text and not any("example" in r for r in seen.references)
    )


@given(data=st.data())
@settings(FUZZ, max_examples=80)
def test_any_value_in_a_summary(data: st.DataObject, tmp_path: Path, simulated: Path) -> None:
    folder = fresh(data.draw(st.sampled_from([KEPT, simulated])), tmp_path / "run")
    known = json.loads((folder / "summary.json").read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(paths(known)))
        known = changed(known, place, copy.deepcopy(data.draw(st.sampled_from(HOSTILE))))
    (folder / "summary.json").write_text(json.dumps(known))
    if (text := survives(folder)) is not None:
        assert is_harmless(text)
        other = kept(tmp_path / f"other{len(list(tmp_path.iterdir()))}")
        try:
            side_page.html(comparison.laid([folder, other], anyway=True))
        except ScenarioError as error:
            assert "\n" not in printable(str(error))


@given(data=st.data())
@settings(FUZZ, max_examples=80)
def test_any_value_in_samples_and_pages(data: st.DataObject, tmp_path: Path) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    file = folder / data.draw(st.sampled_from(["samples.jsonl", "pages.jsonl"]))
    lines = file.read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, min(len(lines) - 1, 20)) | st.integers(0, len(lines) - 1))
        row = json.loads(lines[number])
        place = data.draw(st.sampled_from(paths(row)[:12]))
        lines[number] = json.dumps(changed(row, place, data.draw(st.sampled_from(HOSTILE))))
    file.write_text("\n".join(lines) + "\n")
    if (text := survives(folder)) is not None:
        assert is_harmless(text)


@given(data=st.data())
@settings(FUZZ, max_examples=80)
def test_any_bytes_in_any_file(data: st.DataObject, tmp_path: Path) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    file = folder / data.draw(st.sampled_from(FILES))
    raw = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    file.write_bytes(raw)
    survives(folder)


@pytest.mark.parametrize("name", ["summary.json", "pages.jsonl", "samples.jsonl"])
def test_a_file_that_is_cut_anywhere(tmp_path: Path, name: str) -> None:
    """Every byte of a summary, and every seventh or so of what is longer."""
    folder = fresh(KEPT, tmp_path / "run")
    raw = (folder / name).read_bytes()
    for length in range(0, len(raw), 1 if name == "summary.json" else 97):
        (folder / name).write_bytes(raw[:length])
        try:
            read(folder)
        except ScenarioError as error:
            assert str(error).startswith(str(folder / name))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, '{"schema": 1, "environment": ' + "[" * 900 + "]" * 900 + "}"]
)
def test_what_is_nested_without_end(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(ScenarioError, match=r"nested too deep|is missing"):
        read(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "huge", "device"])
def test_what_is_no_ordinary_file_is_not_read(tmp_path: Path, name: str, kind: str) -> None:
    """A pipe would be waited for, a link leads elsewhere."""
    folder = fresh(KEPT, tmp_path / "run")
    file = folder / name
    secret = tmp_path / "secret"
    secret.write_text("root:secret")
    file.unlink()
    match kind:
        case "link":
            file.symlink_to(secret)
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "device":
            file.symlink_to("/dev/zero")
        case "huge":
            with file.open("wb") as made:
                made.truncate(files.MOST_SAMPLES + 1)
    with pytest.raises(ScenarioError, match=r"is a link|is no ordinary file|are read at most") as refused:
        page.load(folder)
    assert "secret:" not in str(refused.value)


def test_a_line_without_end_is_not_kept(tmp_path: Path) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    (folder / "samples.jsonl").write_bytes(b" " * (files.MOST_LINE + 2))
    with pytest.raises(ScenarioError, match="a line of more than 4 MB"):
        read(folder)


@pytest.mark.parametrize("name", ["summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml"])
def test_a_byte_order_mark_is_read_over(tmp_path: Path, name: str) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    assert page.load(folder).summary == read(KEPT)


@pytest.mark.parametrize("name", ["summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml"])
def test_gzip_is_said_by_name(tmp_path: Path, name: str) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    file = folder / name
    packed = gzip.compress(file.read_bytes())
    file.write_bytes(packed)
    with pytest.raises(ScenarioError, match=f"this is gzip; unpack it first: gunzip {file}"):
        page.load(folder)
    file.rename(f"{file}.gz")
    with pytest.raises(ScenarioError, match=f"is not here, but {name}.gz is; unpack it first: gunzip {file}.gz"):
        page.load(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PK\x03\x04zip", "a zip archive"), ("{}".encode("utf-16"), "UTF-16 text"), (b"\xfd7zXZ\x00", "xz"),
     (b"BZh9", "bzip2"), (b"{\n\xff}", "summary.json:2: is not UTF-8"), (b"{\n]", r"summary.json:2: is not JSON \(")],
)  # fmt: skip
def test_other_formats_are_said_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "summary.json").write_bytes(content)
    with pytest.raises(ScenarioError, match=said):
        read(tmp_path)


def test_a_file_where_a_folder_is_meant_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    assert main(["report", str(folder / "summary.json")]) == 2
    assert f"is a file; give the run's folder: {folder}" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "none"), str(folder)]) == 2
    assert "there is no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["report"], ["compare", "--anyway"]])
def test_escapes_of_a_run_do_not_reach_the_terminal(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fresh(KEPT, tmp_path / "run")
    known = json.loads((folder / "summary.json").read_text())
    known["migrations"] += [known["migrations"][0] | {"name": EVIL, "reason": EVIL, "bytes_sent": 1}]
    known |= {"scenario": EVIL, "invalid_reasons": [EVIL], "valid": False}
    (folder / "summary.json").write_text(json.dumps(known))
    main([*command, str(folder)])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err and "\u202e" not in out + err and "\\x1b[31m" in out + err


def test_pictures_are_not_drawn_through_a_link(tmp_path: Path) -> None:
    """What is no picture of this page is removed: it had better be this run's."""
    folder = fresh(KEPT, tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.png").touch()
    (folder / "figures").symlink_to(tmp_path / "mine")
    with pytest.raises(ScenarioError, match="is a link"):
        page.rebuild(folder)
    assert (tmp_path / "mine" / "holiday.png").exists()
