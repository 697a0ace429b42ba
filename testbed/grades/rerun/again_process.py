"""The process that runs again what it is asked for, with root, while another reads hand-ins without.

Its questions come in, its answers go out; it ends when nobody asks any more, in the midst of a run, too: who asked may
not end it, being nobody by then.
"""

import os
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO

from testbed.core.errors import Interrupted
from testbed.grades.rerun.again import answered
from testbed.grades.rerun.messages import ANSWERS, MOST_QUESTION, QUESTIONS
from testbed.labs import find
from testbed.linux.processes.interrupts import interruptible


def main() -> int:
    """Exit code 0 once nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a run prints is no answer
    lab = find(sys.argv[1], Path(sys.argv[2]) if sys.argv[2:] else None)
    asked = SimpleQueue[bytes]()
    try:
        with interruptible():
            Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
            while True:
                answers.write(ANSWERS.line(answered(lab, QUESTIONS.read(asked.get()))))
    except (Interrupted, KeyboardInterrupt, BrokenPipeError):
        return 0


def _listen(pipe: IO[bytes], asked: "SimpleQueue[bytes]") -> None:
    while line := pipe.readline(MOST_QUESTION):
        asked.put(line)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
