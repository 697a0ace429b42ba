"""A policy of a file that is not trusted: asked as any other, and it answers from its sandbox."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from testbed.core.errors import PolicyFault
from testbed.core.rounds import Decision, EarlyLook, Round
from testbed.core.text.from_json import Trusted
from testbed.core.text.from_json import built as built_from
from testbed.policies.policy import Policy
from testbed.sandbox.messages import Limits, PolicyMade, PolicyWanted, RoundsSeen
from testbed.sandbox.sandbox import CodeFault, Sandbox, code_of


class SandboxedPolicy:
    """Implements ``testbed.policies.policy.Policy``. Only rounds that are new are told."""

    def __init__(self, sandbox: Sandbox, early_look: EarlyLook | None) -> None:
        self.early_look = early_look
        self._sandbox, self._told = sandbox, tuple[Round, ...]()

    def decide(self, history: Sequence[Round]) -> Decision:
        """See ``Policy``. Raises ``PolicyFault`` for whatever the code did wrong."""
        rounds = tuple(history)
        known = 0
        while known < min(len(rounds), len(self._told)) and rounds[known] == self._told[known]:
            known += 1
        self._told = rounds
        try:
            said = self._sandbox.ask("decide", RoundsSeen(known=known, rounds=list(rounds[known:])))
            return built_from(Decision, said)
        except (CodeFault, ValueError) as fault:
            raise PolicyFault(str(fault)) from fault


@contextmanager
def policy(
    file: Path,
    offered: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
) -> Iterator[Policy]:
    """The policy of a file, in a sandbox of its own until the context is left.

    ``offered``: parameters in base units, those of which it has. Raises
    ``PolicyFault`` for a file that is no policy's or breaks, ``PrerequisiteMissing`` where there can be no sandbox.
    """
    wanted = PolicyWanted(offered=Trusted(dict(offered or {})))
    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(Sandbox(code_of(file), limits=limits, name=str(file)))
            made = built_from(PolicyMade, sandbox.ask("make", wanted))
        except (CodeFault, ValueError) as fault:
            raise PolicyFault(str(fault)) from fault
        yield SandboxedPolicy(sandbox, made.early_look)
