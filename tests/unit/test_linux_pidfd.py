"""A descriptor of a process, by its number."""

import os
import signal
import subprocess

import pytest

from testbed.linux.processes.pidfd import opened


def test_one_that_runs_has_one() -> None:
    os.close(opened(os.getpid()))


def test_one_that_has_ended_has_none_though_its_group_lives_on() -> None:
    """Whose number is still in use then; kernels do not agree on what to say of it."""
    script = ["bash", "-c", "sleep 60 & echo; wait"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None and leader.stdout.readline()
        leader.kill()
    try:
        with pytest.raises(ProcessLookupError):
            opened(leader.pid)
    finally:
        os.killpg(leader.pid, signal.SIGKILL)
