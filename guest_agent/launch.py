"""Starts a guest as a process of its own and ends it, whatever happens in between.

with GuestProcess(path, config) as guest:                         # here
with GuestProcess(path, config, inside=["mnexec", "-a", "4711"])  # or inside a host's network namespace
    guest.client.run()
"""

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from guest_agent.config import GuestConfig
from guest_agent.control import GuestClient
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.linux.processes.module import module


class GuestProcess:
    """One guest, ready to run. It dies with the *thread* that started it, so start it from one that lives long."""

    def __init__(self, path: str, config: GuestConfig | Mapping[str, Any], inside: Sequence[str] = ()) -> None:
        """Returns when the guest is ready. Raises what it ended with, from the tree of errors."""
        config = config if isinstance(config, GuestConfig) else GuestConfig(**config)
        command = [*inside, *module("guest_agent", "--socket", path, "--config", config.to_json())]
        pipe = subprocess.PIPE
        self.path = path
        disk = () if config.disk_fd < 0 else (config.disk_fd,)
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=disk)
        self.pid = self._process.pid
        """Of what was started; inside a host that is the guest itself only if the prefix ends in ``exec``."""
        try:
            self._await_ready()
            self.client = GuestClient.connect(path)
        except BaseException:
            self._end()
            raise

    def wait(self, timeout: float = 10.0) -> int:
        """Waits for its own end, after ``client.stop()``. Returns its exit code. Raises ``TestbedError``."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TestbedError(f"guest {self.pid} did not end within {timeout:g} s") from error

    def close_input(self) -> None:
        """Closes its standard input, on which it leaves."""
        if self._process.stdin:
            self._process.stdin.close()

    def close(self) -> None:
        """Ends the guest, running or stopped."""
        self.client.close()
        self._end()

    def __enter__(self) -> "GuestProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _await_ready(self) -> None:
        assert self._process.stdout and self._process.stderr  # noqa: S101 - they are pipes
        if self._process.stdout.readline() == b"ready\n":
            return
        said = self._process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise _error(self._process.wait(), said.removeprefix("guest: "))

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def _error(code: int, said: str) -> TestbedError:
    if code == ScenarioError.exit_code:
        return ScenarioError(said)
    if code == PrerequisiteMissing.exit_code:
        what, _, remedy = said.partition("; ")
        return PrerequisiteMissing(what, remedy)
    return TestbedError(f"the guest ended with {code} before it was ready: {said or 'it said nothing'}")
