"""``audit`` as users see it: lines, exit codes, JSON; and folders that anybody may have made."""

import errno
import json
import os
from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit.audited import Files, copied

Captured = pytest.CaptureFixture[str]


def test_a_line_an_agreement_and_one_of_the_run(tmp_path: Path, capsys: Captured) -> None:
    run = copied(tmp_path / "run")
    assert main(["audit", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 16 + 1
    assert sum(" held " in line for line in lines) == 16
    assert lines[-1] == f"{run}: all 16 agreements hold"


def test_one_that_does_not_hold_is_told_with_its_reason(tmp_path: Path, capsys: Captured) -> None:
    files = Files.kept()
    files.done["wire_bytes"] //= 2
    assert main(["audit", str(files.written(tmp_path))]) == 1
    out = capsys.readouterr().out
    (line,) = (line for line in out.splitlines() if "the link's counter says" in line)
    assert "not held" in line and "wire_bytes is 153,276,833" in line
    assert "of 16 agreements do not hold" in out


def test_all_runs_are_audited_and_the_worst_is_the_exit_code(tmp_path: Path, capsys: Captured) -> None:
    edited = Files.kept()
    edited.summary["seed"] = 9
    runs = [str(tmp_path / "nowhere"), str(edited.written(tmp_path / "edited")), str(copied(tmp_path / "good"))]
    assert main(["audit", *runs]) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"testbed: {runs[0]}: there is no such folder"]
    assert f"{runs[2]}: all 16 agreements hold" in said.out and f"{runs[1]}: " in said.out
    assert main(["audit", *runs[1:]]) == 1


def closed(run: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder, into which another user may not look; root might."""
    run.mkdir(mode=0)
    asked, looked = os.access, Path.lstat

    def look(path: Path) -> os.stat_result:
        if path.parent == run:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(os, "access", lambda path, *mode, **known: path != str(run) and asked(path, *mode, **known))
    monkeypatch.setattr(Path, "lstat", look)
    return str(run)


def test_those_that_may_not_be_read_keep_no_other_from_being_audited(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``audit results/*`` meets them on a machine of several."""
    long, good = str(tmp_path / ("x" * 300)), str(copied(tmp_path / "good"))
    assert main(["audit", shut := closed(tmp_path / "closed", monkeypatch), long, good]) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"testbed: {shut}/summary.json: cannot be read (Permission denied)",
        f"testbed: {long}/summary.json: cannot be read (File name too long)",
    ]
    assert f"{good}: all 16 agreements hold" in said.out


def test_the_same_as_json(tmp_path: Path, capsys: Captured) -> None:
    runs = [str(copied(tmp_path / "good")), str(tmp_path / "nowhere")]
    assert main(["audit", "--json", *runs]) == 2
    good, bad = json.loads(capsys.readouterr().out)
    assert (good["run"], good["scenario"], good["valid"], good["holds"]) == (runs[0], "hello", True, True)
    assert {"migration": "hello", "repeat": 1, "name": "chain", "state": "held"}.items() <= next(
        each for each in good["agreements"] if each["name"] == "chain"
    ).items()
    assert bad == {"run": runs[1], "fault": f"{runs[1]}: there is no such folder"}


@pytest.mark.parametrize("matrix", ["", "matrix: {migration.policy.name: [plain, FILE]}\n"])
def test_no_code_that_a_scenario_names_is_run(tmp_path: Path, capsys: Captured, matrix: str) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    files = Files.kept()
    files.scenario = files.scenario.replace("name: plain", f"name: {evil}") + matrix.replace("FILE", str(evil))
    if matrix:
        files.done["settings"] = {"migration.policy.name": str(evil)}
    assert main(["audit", str(files.written(tmp_path / "run"))]) == 0
    assert not (tmp_path / "ran").exists()
    assert "is a file of one's own, and is not run" in capsys.readouterr().out


def edited(run: Path, name: str, old: str, new: str) -> None:
    file = run / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("summary.json", '"downtime_s": 0.0', '"downtime_s": NaN, "x": 0.0'),
        ("summary.json", '"operations": ', '"operations": "many", "was": '),
        ("summary.json", '"digest": ', '"digest": null, "was": '),
        ("summary.json", '"operations": ', '"operations": -'),
        ("samples.jsonl", '"tx_bytes":', '"tx_bytes":"much","was":'),
        ("samples.jsonl", '{"t":', '{"t":1e999,"was":'),
        ("pages.jsonl", '"cell_pages": ', '"cell_pages": 9'),
        ("pages.jsonl", "[62, ", "[63, "),
    ],
)
def test_a_damaged_folder_is_one_line(tmp_path: Path, capsys: Captured, name: str, old: str, new: str) -> None:
    run = copied(tmp_path / "run")
    edited(run, name, old, new)
    assert main(["audit", str(run)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert str(run / name) in said.err


@pytest.mark.parametrize(
    "scenario",
    ["", "[", "name: [x]\n", "seed: 3\n", "vm: {ram: 1PiB, workload: nothing}\n", "vm: {ram: 256MB}\nvm: {}\n", "\0"],
)
def test_a_scenario_that_cannot_be_read_is_said_and_the_rest_is_audited(
    tmp_path: Path, capsys: Captured, scenario: str
) -> None:
    files = Files.kept()
    files.scenario = scenario
    assert main(["audit", str(files.written(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "all 12 agreements hold, 4 cannot be known" in out and "scenario.yaml" in out


def test_without_its_other_files_it_is_not_known(tmp_path: Path, capsys: Captured) -> None:
    run = copied(tmp_path / "run")
    for name in ("samples.jsonl", "pages.jsonl", "scenario.yaml"):
        (run / name).unlink()
    assert main(["audit", str(run)]) == 0
    out = capsys.readouterr().out
    assert (
        "there is no samples.jsonl" in out and "there is no scenario.yaml" in out and "pages.jsonl has nothing" in out
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"vm" + ".x" * 40_000: 1},
        {f"vm.x{index}": 1 for index in range(1000)},
        {"matrix": [1]},
        {"vm.workload": {"name": "phases", "phases": []}},
        {"": 1},
        {"migration.policy": {"name": ["x.py"]}},
        {"seed": 10**18},
    ],
)
def test_settings_of_anybodys_are_said_and_nothing_breaks(tmp_path: Path, settings: dict[str, object]) -> None:
    files = Files.kept()
    files.done["settings"] = settings
    assert main(["audit", str(files.written(tmp_path))]) in (0, 1)
