"""Whole migrations through the command line: what is recorded must be true of real hosts, links and memory."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from testbed.runfiles.summary_reader import doubts, read
from tests.netns.launching import testbed
from tests.netns.undisturbed import undisturbed

SMALL = ("--set", "vm.ram=64MB", "--set", "vm.workload.working_set=16MB", "--set", "warmup=300ms", "--quiet")


def test_hello_is_valid_and_everything_in_it_agrees(tmp_path: Path) -> None:
    def made(number: int) -> dict[str, Any]:
        done = testbed("run", "hello", "--json", "--quiet", "--out", str(tmp_path / str(number)), page=True)
        summary: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if summary["valid"] else 1), done.stderr
        return summary

    summary = undisturbed(made)
    out = max(tmp_path.iterdir())
    (migration,) = summary["migrations"]
    assert summary == json.loads((out / "summary.json").read_text())
    assert doubts(read(out)) == []
    assert (out / "report.html").exists() and list((out / "figures").glob("*.png"))
    assert (summary["schema"], summary["valid"], migration["outcome"]) == (1, True, "completed")
    assert migration["link"]["verified"]
    assert migration["memory"]["match"]
    assert migration["memory"]["pages_compared"] + migration["memory"]["pages_replayed"] == 256_000_000 // 4096
    assert migration["accounting"]["consistent"]
    assert migration["accounting"]["page_bytes"] == migration["bytes_sent"]
    assert migration["bytes_sent"] == sum(each["sent_bytes"] for each in migration["rounds"])
    assert sum(migration["downtime_phases_s"].values()) == pytest.approx(migration["downtime_s"], abs=1e-6)
    assert migration["guest_gap_s"] <= migration["downtime_s"] * 2 + 0.05
    assert migration["guest"]["operations"] > 0


def test_every_round_sends_what_the_one_before_left(tmp_path: Path) -> None:
    done = testbed("run", "hello", *SMALL, "--json", "--out", str(tmp_path / "run"))
    rounds = json.loads(done.stdout)["migrations"][0]["rounds"]
    for before, after in pairwise(rounds[:-1]):
        assert after["sent_bytes"] == before["dirtied_bytes"]
    assert rounds[-1]["kind"] == "stop_and_copy"
    assert rounds[-1]["sent_bytes"] >= rounds[-2]["dirtied_bytes"]
    assert all(each["decision"] for each in rounds)


def test_samples_are_raw_on_one_clock_and_cover_the_migration(tmp_path: Path) -> None:
    testbed("run", "hello", *SMALL, "--out", str(tmp_path / "run"))
    rows = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    kinds = {row["kind"] for row in rows}
    assert {"link", "qdisc", "tcp", "process", "guest", "event"} <= kinds
    for kind in kinds:
        times = [row["t"] for row in rows if row["kind"] == kind]
        assert times == sorted(times)
    operations = [row["operations"] for row in rows if row["kind"] == "guest" and row["host"] == "esx1"]
    assert operations == sorted(operations)
    assert operations[-1] > 0


@pytest.mark.parametrize(
    "tracker", [pytest.param("uffd-wp", marks=pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")), "checksum"]
)
@pytest.mark.parametrize("workload", ["sequential", "uniform", "hot-cold", "zipf", "idle"])
def test_memory_is_proved_under_each_tracker_and_workload(tmp_path: Path, tracker: str, workload: str) -> None:
    rate = "" if workload == "idle" else ", working_set: 16MB, write_rate: 8MB/s"
    scenario = tmp_path / "one.yaml"
    scenario.write_text(
        f"name: one\ntitle: one\nnetwork: {{vmotion: {{goodput: 400Mbit}}}}\nwarmup: 300ms\n"
        f"vm: {{ram: 64MB, workload: {{name: {workload}{rate}}}}}\n"
        f"migration: {{policy: {{name: plain, downtime_goal: 50ms}}, tracker: {tracker}, strict: true}}\n"
    )
    done = testbed("run", str(scenario), "--json", "--quiet", "--out", str(tmp_path / "run"))
    (migration,) = json.loads(done.stdout)["migrations"]
    assert migration["outcome"] == "completed", done.stderr
    assert migration["memory"]["match"]
    assert migration["tracker"] == tracker
    assert migration["accounting"]["consistent"]


@pytest.mark.parametrize("streams", ["2", "16"])
def test_streams_share_the_work(tmp_path: Path, streams: str) -> None:
    done = testbed(
        "run", "hello", *SMALL, "--set", f"migration.streams={streams}", "--json", "--out", str(tmp_path / "run")
    )
    (migration,) = json.loads(done.stdout)["migrations"]
    assert migration["memory"]["match"]
    assert len(migration["streams"]) == int(streams)
    assert sum(each["page_bytes"] for each in migration["streams"]) == migration["bytes_sent"]
    assert {each["congestion"] for each in migration["streams"]} == {"cubic"}


def test_a_matrix_makes_one_migration_each(tmp_path: Path) -> None:
    scenario = tmp_path / "two.yaml"
    scenario.write_text(
        "name: two\ntitle: two rates\nnetwork: {vmotion: {goodput: 400Mbit}}\n"
        "vm: {ram: 64MB, workload: {name: idle}}\nmigration: {policy: plain}\nwarmup: 200ms\n"
        "matrix: {network.vmotion.goodput: [400Mbit, 800Mbit]}\n"
    )
    done = testbed("run", str(scenario), "--json", "--quiet", "--out", str(tmp_path / "run"))
    slow, fast = json.loads(done.stdout)["migrations"]
    assert slow["settings"] == {"network.vmotion.goodput": "400Mbit"}
    assert slow["total_time_s"] / fast["total_time_s"] == pytest.approx(2, rel=0.15)
