"""A file's code in a process of its own behind walls, asked one question at a time."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import ClassVar

from testbed.core.errors import TestbedError
from testbed.core.text.from_json import Json
from testbed.core.text.json_lines import argument
from testbed.core.text.printable import printable
from testbed.linux.files.ordinary import ordinary
from testbed.linux.processes.caller import is_root
from testbed.linux.processes.child import Child
from testbed.linux.processes.module import module
from testbed.sandbox import packed, seccomp, walls
from testbed.sandbox.messages import (
    ANSWERS,
    FILE,
    MOST_ANSWER,
    QUESTIONS,
    READY,
    Answer,
    Faulted,
    Limits,
    Question,
    ServedConfig,
    Serves,
    as_outside,
)

START_S = 30.0
"""Until the walls are up: 0.1 s where nobody else wants the processor."""
END_S = 5.0
"""Until all that ran there is gone, which takes a few milliseconds."""
MOST_CODE = 1 << 20
"""Bytes of a file with code."""
TOO_LONG = {128 + 24, 128 + 9}
"""Exit codes of who was ended by SIGXCPU, or by SIGKILL when it did not care."""


class CodeFault(TestbedError):
    """Code in a sandbox broke, hung, or answered what is no answer; ``str(fault)`` says it in a line."""

    exit_code = 2


class Sandbox(Child):
    """The code of one file. A context manager: leaving it ends all that ran there, and nothing of it is left.

    ``serves`` says what it is asked for: ``policy`` (``make``, ``decide``), ``tracker`` (``explore``), or
    ``functions``, which are its own. ``name`` is what faults call the file. Entering raises ``PrerequisiteMissing``
    where there can be no sandbox.
    """

    most_line: ClassVar[int] = MOST_ANSWER

    def __init__(self, code: bytes, *, serves: Serves = "policy", limits: Limits | None = None, name: str = "") -> None:
        super().__init__(subprocess.Popen, ())
        self.limits = limits or Limits()
        self._code, self._serves, self._name = code, serves, name or FILE
        self._number = READY
        self._waited = 0.0
        self._fault: CodeFault | None = None

    def start(self) -> None:
        """Puts the walls up."""
        file, filtered = self._inherited("code", self._code), seccomp.program()
        calls = self._inherited("seccomp", filtered) if filtered else None
        config = argument(ServedConfig(serves=self._serves, limits=self.limits, packages=walls.packages()))
        inside, ours = module("testbed.sandbox.served_process", config), self._inherited("packed", packed.modules())
        self.pass_fds = [file, ours] if calls is None else [file, ours, calls]
        self.argv = walls.command(file, ours, calls, inside, root=is_root())
        try:
            super().start()
        except FileNotFoundError:
            raise walls.missing(f"no {walls.PROGRAM}") from None

    def begin(self) -> None:
        """Waits until the walls are up; none of the file's code has run by then."""
        with suppress(ValueError):
            if ANSWERS.read(self.hear(START_S) or b"").number == READY:
                return
        self.kill()
        raise walls.missing(self.last_words())

    def ask(self, method: str, arguments: object) -> Json:
        """What the code answers: of a ``policy`` or ``tracker``, as ``messages`` has it; of ``functions``, what the one
        of that name returns for these arguments (a list, or a mapping of names). Raises ``CodeFault``, now and from
        then on.
        """
        if self._fault is not None:
            raise self._fault
        self._number += 1
        try:
            self.tell(QUESTIONS.line(Question(number=self._number, method=method, arguments=arguments)))
            return self._answer(method)
        except CodeFault as fault:
            self._fault = fault
            self.kill()
            raise

    def kill(self) -> None:
        """Ends all that runs there, and returns when it is gone."""
        super().kill()
        with suppress(ValueError):  # of an output that was closed
            while self.hear(END_S):  # the last of them closes it
                pass

    def _answer(self, method: str) -> Json:
        began = monotonic()
        said = self.hear(self.limits.silent_s, whole=True)
        self._waited += monotonic() - began
        if self._waited > self.limits.waiting_s:
            raise CodeFault(
                f"{self._name}: it let us wait for more than {self.limits.waiting_s:g} s, all answers together"
            )
        if said is None:
            raise CodeFault(f"{self._name}: no answer to '{method}' within {self.limits.silent_s:g} s")
        if not said:
            raise CodeFault(f"{self._name}: {self._how_it_ended()} when it was asked for '{method}'")
        try:
            answer = ANSWERS.read(said)
        except ValueError as fault:
            raise CodeFault(
                f"{self._name}: what it answered to '{method}' is no answer: {printable(str(fault))}"
            ) from None
        if answer.number != self._number:
            raise CodeFault(f"{self._name}: it answered out of turn when it was asked for '{method}'")
        match answer:
            case Answer(value=value):
                known: Json = value
                return known
            case Faulted(words=words):
                raise CodeFault(printable(as_outside(words, self._name)))

    def _how_it_ended(self) -> str:
        code = self.wait(END_S)
        if code in TOO_LONG:
            return (
                f"its process was ended: more than {self.limits.question_s:g} s of processor time, or too much memory,"
            )
        return f"its process ended (exit code {code})"

    def _inherited(self, name: str, data: bytes) -> int:
        """A descriptor from which these bytes are read once."""
        fd = os.memfd_create(name)
        self.belongings.callback(os.close, fd)
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(data)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd


def code_of(path: Path) -> bytes:
    """A file's code, of which nothing is run. Raises ``CodeFault`` for what is no ordinary file, or is too large."""
    try:
        fd = ordinary(path)
        if fd is None:
            raise CodeFault(f"{printable(str(path))}: is no ordinary file")
        with os.fdopen(fd, "rb") as file:
            code = file.read(MOST_CODE + 1)
    except (OSError, ValueError) as fault:
        why = "is a link" if path.is_symlink() else f"cannot be read ({getattr(fault, 'strerror', fault)})"
        raise CodeFault(f"{printable(str(path))}: {why}; a file of code is needed") from fault
    if len(code) > MOST_CODE:
        raise CodeFault(f"{printable(str(path))}: more than {MOST_CODE} bytes are no file of code")
    return code
