"""A command in a machine of its own: `bootstrap machine [debian-13|debian-12|arm64] [COMMAND...]`.

Without a command it is a shell there. stdout and the exit code are the command's.
"""

import signal
import sys
import time
from pathlib import Path
from types import FrameType

from machines import cache, children, clock, emulator, foreign, guest, image, told
from machines.faults import MachineError
from machines.kinds import CHECKOUT, Kind, parse

HERE = Path(__file__).resolve().parent.parent


def main(words: list[str]) -> int:
    """The exit code of the command, or ours where it did not come to that."""
    signal.signal(signal.SIGINT, children.interrupt)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    try:
        if words[:1] in (["-h"], ["--help"]):
            print(__doc__)  # noqa: T201
            return 0
        kind, wanted = parse(words)
        if wanted[:1] == ["ci"]:
            wanted[0] = f"{CHECKOUT}/machines/ci"
        return _run(kind, wanted or ["bash", "-l"])
    except MachineError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # at its end Python gives up our handler: the code would be hidden
        _say("interrupted; nothing of it runs on")
        return 130


def _run(kind: Kind, wanted: list[str]) -> int:
    place, slowed = cache.folder(), clock.slowed()
    image.require(kind)
    with cache.held(place):
        image.sweep(place)
        found = cache.Image(place / cache.key(kind, HERE, [*map(str, told.of_apt())]))
        if not found.folder.is_dir():
            within = foreign.within(kind)
            _say(f"making {kind.name} from its distribution's packages, once, in {found.folder}")
            _say(f"made in {image.make(kind, HERE, found, within):.0f} s")
        return _in(kind, found, slowed, wanted)


def _in(kind: Kind, found: cache.Image, slowed: float, wanted: list[str]) -> int:
    started = time.monotonic()
    with emulator.running(kind, found, slowed) as (machine, port):
        door = guest.Door(image=found, port=port)
        door.await_answer(machine)
        door.put(HERE)
        _say(f"up in {time.monotonic() - started:.0f} s")
        code = door.run(wanted)
        results = HERE / "results"
        names = door.fetch(results)
    guest.owned_as(results, names, HERE)
    if names:
        _say(f"its results are in {results}: {', '.join(sorted(names))}")
    return code


def _say(line: str) -> None:
    print(f"machine: {line}", file=sys.stderr, flush=True)  # noqa: T201


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once more is too late to end anything, and what is left to do is done
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
