"""A destination whose word cannot be true, and texts that mean harm, in a whole run: one runner, no wrong figure."""

import json
from pathlib import Path
from typing import Any

from tests.netns.launching import testbed

SMALL = (
    "hello", "--set", "network.vmotion.goodput=400Mbit", "--set", "vm.workload.write_rate=4MB/s",
    "--set", "vm.workload.working_set=16MB", "--set", "vm.ram=64MB",
)  # fmt: skip
POLICY = '''
from collections.abc import Sequence

from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round
from testbed.migration import source
from testbed.wire.messages import Running

ORIGINAL = source.Channel.receive


def receive(self, expected, *patience):
    """The agent's own channel, as if the peer had said something else."""
    said = ORIGINAL(self, expected, *patience)
    return Running({answer}) if isinstance(said, Running) else said


source.Channel.receive = receive


@dataclass(frozen=True)
class Liar:
    """Switches over after round 1."""

    def decide(self, history: Sequence[Round]) -> Decision:
        return Decision(action=Action.SWITCH_OVER, reason="now \\x1b[31mred\\u202e [bold]bold[/bold]")
'''


def run_with(tmp_path: Path, answer: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, migration, and what stood on the terminal."""
    policy = tmp_path / "liar.py"
    policy.write_text(POLICY.format(answer=answer))
    done = testbed("run", *SMALL, "--set", f"migration.policy={policy}", "--out", str(tmp_path / "run"))
    assert (tmp_path / "run" / "summary.json").exists(), done.stderr
    (migration,) = json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"]
    return done.returncode, migration, done.stderr + done.stdout


def test_times_that_cannot_be_are_null_and_the_guest_runs_where_it_was_found(tmp_path: Path) -> None:
    code, migration, said = run_with(tmp_path, "1, 2, 3, said.operation")
    assert code == 1 and migration["outcome"] == "completed" and migration["valid"] is False
    assert (migration["downtime_s"], migration["downtime_phases_s"], migration["guest_gap_s"]) == (None, {}, None)
    assert migration["memory"]["match"] is True
    assert migration["guest"]["rate_after"] > 0
    assert "the downtime is not known: commit was answered with what cannot be" in str(migration["invalid_reasons"])
    assert "Traceback" not in said


def test_words_of_a_policy_are_text_on_a_terminal(tmp_path: Path) -> None:
    _, migration, said = run_with(tmp_path, "said.commit_received_ns, said.announced_ns, said.first_step_ns, 2**63")
    assert migration["outcome"] == "completed" and migration["downtime_s"] is not None
    assert "\x1b" not in said and "\u202e" not in said
    assert r"now \x1b[31mred\u202e [bold]bold[/bold]" in said
