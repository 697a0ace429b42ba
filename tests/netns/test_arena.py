"""The finals of the arena on real hosts: a policy of a file decides from its sandbox, beside one of ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.cli.app import run_command
from tests.netns.undisturbed import undisturbed
from tests.unit.sandboxes import doing, needs_sandbox


def test_a_sandboxed_policy_moves_a_guest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs_sandbox()
    canary = tmp_path / "canary"
    spy = doing(tmp_path, "try:", f"    open({str(canary)!r}, 'w')", "except OSError: pass")

    def made(number: int) -> dict[str, Any]:
        words = ["--guests", "2", "--native", "1", "--repeat", "1", "--out", str(tmp_path / str(number)), "--json"]
        # Of the price only the downtime is to count, and hardly: whoever switches over at once is among the best.
        assert run_command(["arena", str(spy), *words, "--weights", "time=1,downtime=0"]) == 0
        board = json.loads(capsys.readouterr().out)
        final = {each["name"]: each for each in board["finals"]}[str(spy)]
        assert final["completed"] == 1 and not canary.exists()
        summary: dict[str, Any] = json.loads((tmp_path / str(number) / "summary.json").read_text())
        return summary

    summary = undisturbed(made)
    assert summary["valid"], summary["invalid_reasons"]
    assert "sandboxed" in [each["throttle"]["policy"] for each in summary["migrations"]]
