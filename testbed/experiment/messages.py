"""What a run's own process (``run_process``) and who started it (``apart``) tell each other, beside events."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.scenario.matrix.overrides import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWanted:
    """What is to be run, as ``testbed.run`` has it; ``out``: the folder of results."""

    scenario: str
    overrides: Sequence[Setting]
    engine: str
    repeat: int
    seed: int | None
    out: Path
    page: bool = True
    wait: bool = False


@dataclass(frozen=True, slots=True)
class RunLine:
    """What ``say`` is given."""

    words: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """An end by an exception of ours: its class, and what it holds."""

    kind: type[BaseException]
    args: tuple[Any, ...]
    known: dict[str, Any]

    def again(self) -> BaseException:
        """Makes that exception here."""
        fault = self.kind.__new__(self.kind, *self.args)
        fault.__dict__.update(self.known)
        return fault


@dataclass(frozen=True, slots=True)
class RunDone:
    """Said when the run has ended by itself."""
