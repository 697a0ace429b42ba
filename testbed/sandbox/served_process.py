"""The process in a sandbox: it shuts the last doors itself, says that it is ready, and answers questions.

Its pipes to outside are put away from standard input and output before any code of the file runs: what that prints goes
nowhere.
"""

import os
import site
import sys
from resource import (
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_FSIZE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    setrlimit,
)

from testbed.core.errors import Overdue, TestbedError
from testbed.core.own.words import place_in, told
from testbed.core.text.json_lines import read_argument
from testbed.sandbox.messages import (
    ANSWERS,
    FILE,
    MOST_ANSWER,
    MOST_QUESTION,
    QUESTIONS,
    READY,
    Answer,
    Faulted,
    Limits,
    Question,
    ServedConfig,
)
from testbed.sandbox.served import SERVED, Served

MOST_FILES = 64


def main() -> int:
    """Exit code 0 once nobody asks any more."""
    config = read_argument(ServedConfig, sys.argv[1])
    sys.path.extend(config.packages)
    site.setquit()  # all else of ``site`` costs more than it gives, and was left out (-S)
    questions, answers = os.dup(0), os.dup(1)
    _shut(config.limits)
    os.write(answers, ANSWERS.line(Answer(number=READY, value=None)))
    nothing = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    served = SERVED[config.serves](config.limits)
    with open(questions, "rb") as asked:
        while line := asked.readline(MOST_QUESTION):
            _say(answers, _line(served, QUESTIONS.read(line)))
    return 0


def _shut(limits: Limits) -> None:
    """What walls do not hold: how much it takes."""
    setrlimit(RLIMIT_CPU, (limits.cpu_s, limits.cpu_s))
    setrlimit(RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    setrlimit(RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))
    for none in (RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CORE):
        setrlimit(none, (0, 0))


def _line(served: Served, question: Question) -> bytes:
    number = question.number
    try:
        line = ANSWERS.line(Answer(number=number, value=served.answer(question.method, question.arguments)))
    except TestbedError as fault:
        return ANSWERS.line(Faulted(number=number, words=str(fault)))
    except Overdue as fault:
        words = (
            f"{place_in(FILE, fault.__traceback__) or FILE}: it took more than {fault.limit_s:g} s of processor time"
        )
        return ANSWERS.line(Faulted(number=number, words=words))
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - it is anybody's code
        return ANSWERS.line(Faulted(number=number, words=f"what it answered cannot be said in JSON: {told(fault)}"))
    if len(line) > MOST_ANSWER:
        words = f"an answer of {len(line)} bytes is too long: {MOST_ANSWER} are the most"
        return ANSWERS.line(Faulted(number=number, words=words))
    return line


def _say(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


if __name__ == "__main__":
    sys.exit(main())
