"""A guest with applications, migrated as a user does it: nothing lost, nothing doubled, and clients that go on."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from testbed.runfiles import operations
from testbed.runfiles.summary_reader import doubts, read
from tests.netns.launching import testbed
from tests.netns.undisturbed import undisturbed

SCENARIO = """
name: services
warmup: 500ms
cooldown: 1500ms
vm:
  ram: 128MiB
  workload: {name: hot-cold, working_set: 16MiB, write_rate: 10MB/s}
  services:
    - {name: iometer, iops: 400/s, size: 16MiB}
    - {name: oltp, accounts: 10000, sessions: 6, think_time: 4ms}
    - {name: echo, connections: 40, interval: 10ms}
network:
  vmotion: {rate: 500Mbit}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """The record of a migration with these settings, made once each."""
    root, made = tmp_path_factory.mktemp("services"), dict[tuple[str, ...], dict[str, Any]]()
    (root / "services.yaml").write_text(SCENARIO)

    def migrate(*settings: str) -> dict[str, Any]:
        def once(number: int) -> dict[str, Any]:
            out = root / f"{len(made)}-{number}"
            words = [word for setting in settings for word in ("--set", setting)]
            done = testbed("run", str(root / "services.yaml"), *words, "--out", str(out), "--quiet")
            assert (out / "summary.json").exists(), done.stderr
            assert doubts(read(out)) == []
            summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
            summary["migrations"][0]["folder"] = out
            return summary

        if settings not in made:
            (made[settings],) = undisturbed(once)["migrations"]
        return made[settings]

    return migrate


def services(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in record["services"]}


def test_nothing_is_lost_or_doubled_and_every_connection_goes_on(run: Callable[..., dict[str, Any]]) -> None:
    record = run()
    assert record["valid"], record["invalid_reasons"]
    for name, each in services(record).items():
        assert (each["verified"], each["lost"], each["doubled"]) == (True, 0, 0), (name, each["findings"])
        assert each["operations"] > 100
    assert record["connections"]["mechanism"] == "tcp_repair"
    assert (record["connections"]["moved"], record["connections"]["refused"]) == (46, 0)
    assert record["connections"]["reconnects"] == 0


def test_the_switch_follows_and_three_downtimes_lie_on_one_axis(run: Callable[..., dict[str, Any]]) -> None:
    record = run()
    assert (record["identity"]["forwarding_before"], record["identity"]["forwarding_after"]) == ("esx1", "esx2")
    assert record["identity"]["announcements"] == 4
    assert sum(record["downtime_phases_s"].values()) == pytest.approx(record["downtime_s"])
    assert {"state", "announce"} <= record["downtime_phases_s"].keys()
    parts = record["blackout"]["parts"]
    assert sum(parts.values()) == pytest.approx(record["client_blackout_s"])
    if "downtime" in parts:  # no answer came from the guest at the destination before it ran
        assert record["blackout"]["begin_s"] + record["client_blackout_s"] >= record["downtime_s"]
    # An answer may still leave between the request to pause and the moment that all threads stand still.
    still = record["downtime_s"] - record["downtime_phases_s"]["pause"]
    assert record["client_blackout_s"] >= still > 0


def test_every_operation_is_kept_with_its_latency(run: Callable[..., dict[str, Any]]) -> None:
    record = run()
    (file,) = (record["folder"] / "operations").glob("*-iometer.npz")
    rows = operations.read(file)
    both = np.concatenate([rows["source"], rows["destination"]])
    assert len(both) == services(record)["iometer"]["operations"]
    assert sorted(both[:, 2].tolist()) == list(range(len(both)))
    assert bool((both[:, 1] > both[:, 0]).all())


def test_connections_may_be_reset_and_what_was_acknowledged_is_there_once_all_the_same(
    run: Callable[..., dict[str, Any]],
) -> None:
    record = run("migration.connections=reset")
    assert record["valid"], record["invalid_reasons"]
    assert record["connections"]["mechanism"] == "reset" and "scenario" in record["connections"]["reason"]
    oltp, echo = (services(record)[name] for name in ("oltp", "echo"))
    assert (oltp["verified"], oltp["lost"], oltp["doubled"]) == (True, 0, 0), oltp["findings"]
    assert record["connections"]["reconnects"] == oltp["reconnects"] + echo["reconnects"] >= 46
    assert echo["verified"] and oltp["abandoned"] == 0
    assert record["memory"]["match"] is True


def test_direct_io_is_the_same_in_both_memories_before_the_guest_resumes(run: Callable[..., dict[str, Any]]) -> None:
    """Hashed at both hosts: what a disk wrote into RAM without the processor's help is there too."""
    record = run("migration.strict=true", "vm.services=[[{name: iometer, size: 16MiB, outstanding: 32}]]")
    assert record["valid"], record["invalid_reasons"]
    assert services(record)["iometer"]["verified"]
