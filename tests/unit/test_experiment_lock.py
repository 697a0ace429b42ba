"""The lock says who holds the machine; what is swept is what the run itself started, and nothing else."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import MachineBusy, PrerequisiteMissing
from testbed.experiment.leftovers import sweep
from testbed.experiment.lock import MachineLock
from testbed.experiment.state import RunState, left_behind
from testbed.linux.processes.caller import is_root
from testbed.linux.processes.started import Started, started_at

DEAD = Started(2**22 + 1, 1)
"""No process: numbers end at 2^22."""

HOLDS = """\
import sys
from pathlib import Path
from testbed.experiment.lock import MachineLock
with MachineLock("hello", Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(*argv: str) -> Iterator["subprocess.Popen[str]"]:
    started = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def killed_run(runtime: Path, run_id: str, *pids: int) -> RunState:
    """The state that a run leaves which was killed before it could clean up."""
    state = RunState(run_id, runtime, owner=DEAD)
    state.__enter__()
    for pid in pids:
        state.add(pid)
    return state


def test_one_at_a_time_and_the_other_is_told_who(tmp_path: Path) -> None:
    with process(sys.executable, "-c", HOLDS, str(tmp_path)) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(MachineBusy) as caught, MachineLock("opvizor", tmp_path):
            pass
        end = f"end it: {'sudo ' if is_root() else ''}kill {holder.pid}"
        assert "runs 'hello' since " in str(caught.value) and str(caught.value).endswith(end)
        assert caught.value.exit_code == 4
        holder.kill()
        holder.wait()
        with MachineLock("opvizor", tmp_path):
            pass


WAITS = """\
import sys
from pathlib import Path
from testbed.core.errors import Interrupted
from testbed.experiment.lock import MachineLock
from testbed.linux.processes.interrupts import interruptible
try:
    with interruptible(), MachineLock("later", Path(sys.argv[1]), lambda line: print(line, flush=True)):
        print("held", flush=True)
        sys.stdin.read()
except Interrupted:
    print("interrupted", flush=True)
"""


def test_who_waits_is_told_for_whom_and_has_it_then(tmp_path: Path) -> None:
    with process(sys.executable, "-c", HOLDS, str(tmp_path)) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with process(sys.executable, "-c", WAITS, str(tmp_path)) as waiting:
            assert waiting.stdout is not None
            told = waiting.stdout.readline()
            assert told.startswith("waiting for this machine: ") and f"(process {holder.pid}) holds it" in told
            holder.kill()
            assert waiting.stdout.readline() == "held\n"
            with pytest.raises(MachineBusy, match="runs 'later'"), MachineLock("opvizor", tmp_path):
                pass


def test_who_waits_can_be_interrupted(tmp_path: Path) -> None:
    with MachineLock("hello", tmp_path), process(sys.executable, "-c", WAITS, str(tmp_path)) as waiting:
        assert waiting.stdout is not None and waiting.stdout.readline().startswith("waiting for this machine: ")
        waiting.send_signal(signal.SIGINT)
        assert waiting.stdout.readline() == "interrupted\n"


def test_the_lock_is_given_back_after_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), MachineLock("hello", tmp_path):
        raise RuntimeError
    with MachineLock("hello", tmp_path), pytest.raises(MachineBusy), MachineLock("again", tmp_path):
        pass


def test_a_lock_that_could_not_be_signed_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(PrerequisiteMissing, match="make room"), MachineLock("hello", tmp_path):
            pass
    with MachineLock("again", tmp_path):
        pass


@pytest.mark.parametrize("runtime", ["/proc/nowhere", "/dev/null"])
def test_where_nothing_can_be_written_it_says_so(runtime: str) -> None:
    with pytest.raises(PrerequisiteMissing) as caught, MachineLock("hello", Path(runtime)):
        pass
    assert "\n" not in str(caught.value)


def test_a_run_that_ends_leaves_nothing(tmp_path: Path) -> None:
    with RunState("abc123", tmp_path) as state:
        state.add(os.getpid())
        state.add(DEAD.pid)
        assert [each.pid for each in state.processes] == [os.getpid()]
        assert state.file.exists() and left_behind(tmp_path) == []
        assert sweep(tmp_path) == [], "a run that lives is not swept"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_started_is_ended_and_its_files_go(tmp_path: Path) -> None:
    with process("sleep", "1000") as mine, process("sleep", "1000") as other:
        state = killed_run(tmp_path, "abc123", mine.pid)
        state.folder.mkdir()
        (state.folder / "control.sock").touch()
        lines = sweep(tmp_path)
        assert mine.wait() == -9 and other.poll() is None
        assert f"run abc123: killed process {mine.pid}" in lines
        assert list(tmp_path.iterdir()) == []
        assert sweep(tmp_path) == []


@pytest.mark.parametrize("known", [False, True])
def test_what_a_run_was_writing_as_it_was_killed_goes_too(tmp_path: Path, known: bool) -> None:
    if known:
        killed_run(tmp_path, "abc123")
    (tmp_path / "abc123.new").write_text('{"run')
    assert sweep(tmp_path) != [] and list(tmp_path.iterdir()) == []


def test_a_number_that_means_another_process_now_is_not_touched(tmp_path: Path) -> None:
    with process("sleep", "1000") as stranger:
        state = killed_run(tmp_path, "abc123")
        ticks = started_at(stranger.pid)
        assert ticks is not None
        state.processes.append(Started(stranger.pid, ticks - 1))
        state.add(DEAD.pid)
        state._write()
        sweep(tmp_path)
        assert stranger.poll() is None
        assert not state.file.exists()


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "x" * 33, "a b"])
def test_a_run_id_is_a_plain_word(run_id: str) -> None:
    with pytest.raises(ValueError, match="is no run id"):
        RunState(run_id)


@given(st.text() | st.sampled_from(["{}", "[]", '{"run_id": "x"}', "null", '{"run_id": "x", "owner": {"pid": "a"}}']))
def test_a_file_that_is_not_ours_is_passed_over(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    runtime = tmp_path_factory.mktemp("runtime")
    (runtime / "x.json").write_text(text, errors="replace")
    assert sweep(runtime) == []
    assert (runtime / "x.json").exists()


def test_a_zombie_does_not_run() -> None:
    with process("true") as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert started_at(ended.pid) is None


def test_the_state_is_json_of_numbers_and_names(tmp_path: Path) -> None:
    with RunState("abc123", tmp_path) as state:
        known = json.loads(state.file.read_text())
    assert known["owner"] == {"pid": os.getpid(), "ticks": started_at(os.getpid())}


def test_the_state_of_an_older_version_is_swept_too(tmp_path: Path) -> None:
    state = killed_run(tmp_path, "abc123")
    known = json.loads(state.file.read_text()) | {"interfaces": ["s1-eth1"], "cgroups": []}
    state.file.write_text(json.dumps(known))
    assert sweep(tmp_path) == ["run abc123: had left nothing but its name"]


# ---- Who may hold it -------------------------------------------------------------------------------------------------

GRABS = """\
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
if sys.argv[2] == "now": fcntl.flock(fd, fcntl.LOCK_EX)
print("grabbed", flush=True)
if sys.stdin.readline(): fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def test_nobody_else_may_open_the_lock_or_look_into_its_directory(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    with MachineLock("hello", runtime), RunState("abc123", runtime):
        assert (mode(runtime), mode(runtime / "lock")) == (0o700, 0o600)


@pytest.mark.parametrize("when", ["now", "later"])
def test_a_lock_that_all_could_read_is_mended_and_who_has_it_open_holds_nothing(tmp_path: Path, when: str) -> None:
    runtime, lock = tmp_path, tmp_path / "lock"
    lock.touch()
    lock.chmod(0o644)
    runtime.chmod(0o755)
    with process(sys.executable, "-c", GRABS, str(lock), when) as stranger:
        assert stranger.stdout is not None and stranger.stdin is not None
        assert stranger.stdout.readline() == "grabbed\n"
        with MachineLock("hello", runtime):
            assert (mode(runtime), mode(lock)) == (0o700, 0o600)
        stranger.stdin.write("\n")
        stranger.stdin.flush()
        assert stranger.stdout.readline() == "held\n"
        with MachineLock("again", runtime):
            pass


def test_a_run_of_an_older_version_that_goes_on_is_waited_for(tmp_path: Path) -> None:
    with process(sys.executable, "-c", HOLDS, str(tmp_path)) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        (tmp_path / "lock").chmod(0o644)
        with pytest.raises(MachineBusy, match="runs 'hello'"), MachineLock("opvizor", tmp_path):
            pass


@pytest.mark.needs_root("something is made another's")
def test_a_directory_of_another_user_is_refused_in_one_line(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    os.chown(runtime, 65534, 65534)
    with pytest.raises(PrerequisiteMissing, match="another user's") as caught, MachineLock("hello", runtime):
        pass
    assert "\n" not in str(caught.value)
