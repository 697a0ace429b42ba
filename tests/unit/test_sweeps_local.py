"""A sweep here, through its command: what is there is done, whoever is killed; nothing is lost and nothing doubled."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import MachineBusy
from testbed.linux.files import owned
from testbed.sweeps.folder import SweepFolder
from tests.unit.sweeping import grid, points

Captured = pytest.CaptureFixture[str]
MANY = "network.vmotion.goodput: [{}]".format(", ".join(f"{rate}Mbit" for rate in range(500, 900, 8)))


def swept(file: Path, out: Path, *more: str) -> int:
    return main(["sweep", str(file), "--out", str(out), "--quiet", *more])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of eight points, all of it."""
    folder = tmp_path_factory.mktemp("whole")
    assert swept(grid(folder, "repeats: 2\ncanary: {scenario: hello, every: 5}"), folder / "out", "--jobs", "1") == 0
    return folder


def test_each_point_is_a_whole_run_and_says_which_it_is(whole: Path, capsys: Captured) -> None:
    out = whole / "out"
    assert len(points(out)) == 8 and not [name for name in points(out) if name.startswith(".")]
    for name in points(out):
        known = json.loads((out / "points" / name / "point.json").read_text())
        assert known["id"] == name and known["settings"].keys() == {
            "vm.workload.write_rate",
            "network.vmotion.goodput",
        }
    assert main(["audit", *(str(out / "points" / name) for name in points(out))]) == 0
    one = out / "points" / points(out)[0]
    capsys.readouterr()
    assert main(["run", str(one / "scenario.yaml"), "--engine", "simulated", "--json", "--no-page", "--quiet",
                 "--out", str(whole / "again")]) == 0  # fmt: skip
    again, before = json.loads(capsys.readouterr().out), json.loads((one / "summary.json").read_text())
    differ = {key for key in again if again[key] != before[key]}
    assert differ <= {"started_at"}, "as that run would have made it"


def test_canaries_are_made_first_and_again(whole: Path) -> None:
    names = sorted(each.name for each in (whole / "out" / "canaries").iterdir())
    assert [name.rpartition("-")[2] for name in names] == ["0001", "0002"]


def test_a_canary_for_each_point_comes_to_an_end(tmp_path: Path) -> None:
    """No point was ever made then, and canaries for ever."""
    file = grid(tmp_path, "repeats: 1\ncanary: {scenario: hello, every: 1}")
    assert swept(file, tmp_path / "out", "--jobs", "1") == 0
    assert len(points(tmp_path / "out")) == 4 == len(list((tmp_path / "out" / "canaries").iterdir()))


def test_a_report_says_how_far_each_is(whole: Path) -> None:
    state = json.loads((whole / "out" / "sweep.json").read_text())
    assert [each["number"] for each in state["points"]] == list(range(8))
    assert {each["state"] for each in state["points"]} == {"valid"} and len(state["arms"]) == 4
    assert sorted(each["id"] for each in state["points"]) == points(whole / "out")


def test_the_same_command_makes_nothing_again_and_a_larger_grid_what_is_new(whole: Path) -> None:
    out = whole / "out"
    before = {name: (out / "points" / name).stat().st_ino for name in points(out)}
    assert swept(grid(whole, "repeats: 3"), out, "--jobs", "1") == 0
    after = {name: (out / "points" / name).stat().st_ino for name in points(out)}
    assert len(after) == 12 and before.items() <= after.items()


def test_jobs_make_what_one_makes(tmp_path: Path, whole: Path) -> None:
    assert swept(grid(tmp_path), tmp_path / "out", "--jobs", "2") == 0
    assert points(tmp_path / "out") == [name for name in points(whole / "out") if name in points(tmp_path / "out")]
    assert len(points(tmp_path / "out")) == 8


def test_one_point_by_its_number(tmp_path: Path, capsys: Captured) -> None:
    file, out = grid(tmp_path), tmp_path / "out"
    for number in ("3", "3", "5"):
        assert swept(file, out, "--point", number) == 0
    assert len(points(out)) == 2
    assert swept(file, out, "--point", "8") == 2
    assert "there is no point 8; they are numbered from 0 to 7" in capsys.readouterr().err
    assert swept(file, out) == 0 and len(points(out)) == 8


def test_a_number_beyond_the_repeats_is_made_only_where_the_interval_wants_it(tmp_path: Path, capsys: Captured) -> None:
    keys = "repeats: 2\nuntil_ci: {within: 0.2%, most: 6}"
    file, out = grid(tmp_path, keys, "network.vmotion.goodput: [500Mbit, 900Mbit]", "chance: true\n"), tmp_path / "out"
    assert swept(file, tmp_path / "whole", "--jobs", "1") == 0
    assert 4 < len(points(tmp_path / "whole")) < 12, "some were needed, and not all that may be"
    assert swept(file, out, "--point", "4") == 1
    said = capsys.readouterr().err
    assert "whether point 4 is needed is not known before those of goodput=" in said and said.rstrip()[-1] in "0123"
    assert points(out) == []
    for number in range(12):
        assert swept(file, out, "--point", str(number)) in (0, 1)
    assert points(out) == points(tmp_path / "whole")
    assert "is not needed: the interval of goodput=" in capsys.readouterr().err
    assert swept(file, out, "--jobs", "1") == 0 and points(out) == points(tmp_path / "whole")


def test_a_dry_run_lists_and_makes_nothing(tmp_path: Path, capsys: Captured) -> None:
    assert swept(grid(tmp_path), tmp_path / "out", "--dry-run") == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 8 and "8 points: about " in told.err and not (tmp_path / "out").exists()


def test_a_limit_stops_and_the_same_command_goes_on(tmp_path: Path, capsys: Captured) -> None:
    file, out = grid(tmp_path), tmp_path / "out"
    assert swept(file, out, "--jobs", "1", "--limit", "3") == 0
    assert len(points(out)) == 3 and "5 of 8 points are left" in capsys.readouterr().err
    assert swept(file, out, "--jobs", "1") == 0 and len(points(out)) == 8


def test_a_point_that_is_not_valid_is_a_result(tmp_path: Path, capsys: Captured) -> None:
    file, out = grid(tmp_path, "repeats: 1", "expect: [completes, gives_up]"), tmp_path / "out"
    assert swept(file, out, "--jobs", "1") == 1
    assert "1 of 2 points are not valid" in capsys.readouterr().err
    before = [(out / "points" / name).stat().st_ino for name in points(out)]
    assert swept(file, out, "--jobs", "1") == 1
    assert before == [(out / "points" / name).stat().st_ino for name in points(out)], "and is not made again"


def test_what_has_no_model_is_refused_and_the_others_are_made(tmp_path: Path, capsys: Captured) -> None:
    file = grid(tmp_path, "repeats: 1", "network.vmotion.loss: [0, 0.01], vm.probe: [true, false]",
                "network: {vmotion: {goodput: null}}\n")  # fmt: skip
    assert swept(file, tmp_path / "out", "--jobs", "1") == 1
    assert "was refused: " in capsys.readouterr().err
    assert "refused" in (tmp_path / "out" / "sweep.html").read_text()


def test_what_a_power_cut_left_is_put_aside_and_made_again(tmp_path: Path, capsys: Captured) -> None:
    file, out = grid(tmp_path), tmp_path / "out"
    assert swept(file, out, "--jobs", "1") == 0
    one, other, third, *_ = points(out)
    (out / "points" / one / "summary.json").write_bytes(b"\0" * 100)
    (out / "points" / other / "point.json").write_text("")
    (out / "points" / third / "point.json").write_text((out / "points" / one / "point.json").read_text())
    assert swept(file, out, "--jobs", "1") == 0
    assert len(points(out)) == 8 and len(list((out / "damaged").iterdir())) == 3
    assert capsys.readouterr().err.count("put aside") == 3


def test_what_a_killed_maker_had_begun_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    out = SweepFolder(tmp_path)
    out.prepare()
    (out.points / ".new-dead").mkdir()
    with out.staging() as living:
        out.prepare()
        assert [each.name for each in out.points.iterdir()] == [living.name]
    assert list(out.points.iterdir()) == []


def test_two_at_once_are_told_of_each_other(tmp_path: Path) -> None:
    out = SweepFolder(tmp_path)
    with (
        out.conducted(),
        pytest.raises(MachineBusy, match="another sweep is under way"),
        SweepFolder(tmp_path).conducted(),
    ):
        pass


@pytest.mark.parametrize("name", ["results.csv", "sweep.json", "summary.json"])
def test_what_is_no_sweeps_is_never_written_over(tmp_path: Path, capsys: Captured, name: str) -> None:
    file, out = grid(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / name).write_text("somebody's own")
    for also in ([], ["--point", "0"], ["--dry-run"]):
        assert swept(file, out, *also) == 2
        said = f"testbed: {out} is no sweep's, and holds a {name}; give another folder with --out, or move that away\n"
        assert capsys.readouterr().err == said
    assert [(each.name, each.read_text()) for each in out.iterdir()] == [(name, "somebody's own")]
    (out / name).rename(out / "mine.txt")  # a grid, for example
    assert swept(file, out, "--jobs", "1", "--limit", "1") == 0 and len(points(out)) == 1
    assert swept(file, out, "--jobs", "1", "--limit", "1") == 0 and len(points(out)) == 2


def test_a_full_disk_is_one_line_and_what_was_made_stays(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out, real, left = grid(tmp_path), tmp_path / "out", owned.write, [7]

    def write(path: Path, content: bytes, *, sync: bool = False) -> None:
        if path.name == "summary.json":
            left[0] -= 1
        if left[0] <= 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, content, sync=sync)

    monkeypatch.setattr(owned, "write", write)
    assert swept(file, out, "--jobs", "1") == 1
    assert capsys.readouterr().err == f"testbed: no space left in {out}; make room, or give another folder with --out\n"
    monkeypatch.undo()
    assert len(points(out)) == 3
    assert swept(file, out, "--jobs", "1") == 0 and len(points(out)) == 8


@pytest.mark.needs_root("it mounts a small disk of its own")
@pytest.mark.parametrize("room", ["nr_inodes=6", "size=128k"])
def test_a_full_disk_of_several_processes_is_one_line_too(tmp_path: Path, room: str) -> None:
    """Their folders do not fit on it, or not all points do."""
    file, out = grid(tmp_path, "repeats: 20"), tmp_path / "disk" / "out"
    out.parent.mkdir()
    sweep = f'exec "{sys.executable}" -m testbed sweep "{file}" --out "{out}" --quiet --jobs 2'
    made = f'mount -t tmpfs -o {room} tmpfs "{out.parent}" && {sweep}'
    done = subprocess.run(["unshare", "-m", "sh", "-c", made], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"testbed: no space left in {out}; make room, or give another folder with --out\n"


# ---- Killed ----------------------------------------------------------------------------------------------------------


def ended_by(number: signal.Signals, file: Path, out: Path, jobs: str) -> tuple[int, str]:
    """A sweep of a hundred that gets this signal once ten are there; how it ends, and what it said then."""
    argv = [sys.executable, "-m", "testbed", "sweep", str(file), "--out", str(out), "--jobs", jobs]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if int(line.split(" of ")[0]) >= 10:
                running.send_signal(number)
                break
        rest = running.stderr.read()
    return running.returncode, rest


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_whoever_ends_it_loses_nothing_and_doubles_nothing(tmp_path: Path, number: signal.Signals, jobs: str) -> None:
    file, out = grid(tmp_path, "repeats: 2", MANY), tmp_path / "out"
    code, said = ended_by(number, file, out, jobs)
    before = {name: (out / "points" / name).stat().st_ino for name in points(out) if not name.startswith(".")}
    assert 10 <= len(before) < 100
    if number is signal.SIGINT:
        assert code == 130 and "interrupted by SIGINT; " in said and "the same command goes on" in said
        assert points(out) == sorted(before), "nothing half made is left"
    assert swept(file, out, "--jobs", "2") == 0
    after = {name: (out / "points" / name).stat().st_ino for name in points(out)}
    assert len(after) == 100 and before.items() <= after.items()


def test_a_job_that_dies_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from testbed.sweeps.makers import jobs

    died: list[int] = []
    take = jobs.Jobs.take

    def killing(self: jobs.Jobs) -> object:
        made = take(self)
        first = self._jobs[0].process.pid
        if len(died) < 2 and first not in died:  # whose death may not have been seen yet
            died.append(first)
            os.kill(first, signal.SIGKILL)
        return made

    monkeypatch.setattr(jobs.Jobs, "take", killing)
    assert swept(grid(tmp_path, "repeats: 2", MANY), tmp_path / "out", "--jobs", "2") == 0
    assert len(points(tmp_path / "out")) == 100 and len(died) == 2
