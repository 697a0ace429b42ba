"""Nothing that is honest is flagged: kept runs of older versions, and whatever the model makes of any scenario."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.audit import model
from testbed.audit.verdict import audit
from testbed.core.records.migration import Summary
from testbed.engines.simulated import run as simulate
from testbed.runfiles.folder import to_json
from testbed.runfiles.published import comparisons
from testbed.scenario import load
from testbed.scenarios import names
from tests.unit.audited import Files, broken, states
from tests.unit.runs import KEPT

DOCS = Path(__file__).parents[2] / "docs"
LATER = {"operations", "pages' seed", "memory's seed"}
"""What older records do not have."""


def test_a_run_of_an_older_version_holds_and_what_it_lacks_is_not_known() -> None:
    verdict = audit(KEPT)
    assert broken(verdict) == set()
    assert verdict.valid and all(states(verdict)[name] == "not known" for name in LATER)
    assert {"figures", "chain", "scenario"} <= {name for name, state in states(verdict).items() if state == "held"}


def test_the_documents_own_run_holds() -> None:
    verdict = audit(DOCS / "fast-motion")
    assert broken(verdict) == set()
    assert verdict.valid
    assert {"figures", "chain", "scenario"} <= {name for name, state in states(verdict).items() if state == "held"}


def simulated(folder: Path, scenario: str | Path, repeat: int = 1) -> Path:
    """A run's folder as the simulated engine leaves it."""
    loaded = load(scenario)
    done = [simulate(plan) for plan in loaded.plans(repeat)]
    summary = Summary(
        testbed_version="0.1.0", scenario=loaded.name, engine="simulated", started_at="2026-01-01T00:00:00+00:00",
        seed=loaded.seed, valid=all(each.valid for each in done), invalid_reasons=[], environment={},
        migrations=done, comparisons=comparisons(loaded.published, done),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(to_json(summary))
    (folder / "scenario.yaml").write_text(loaded.resolved_yaml())
    return folder


@pytest.mark.parametrize("name", names())
def test_what_the_model_makes_of_our_scenarios_holds(tmp_path: Path, name: str) -> None:
    verdict = audit(simulated(tmp_path, name))
    assert [f"{each.migration}: {each.agreement}" for each in verdict.broken] == []


WORKLOADS = st.one_of(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["uniform", "sequential", "hot-cold", "zipf"]),
            "write_rate": st.sampled_from(["5MB/s", "24MB/s", "90MB/s", "300MB/s"]),
        }
    ),
    st.just({"name": "idle"}),
)
POLICIES = st.sampled_from(
    ["plain", "vmotion", "qemu", "qemu-dirty-limit", "xen", "cloud-hypervisor", "flattening", "deadline"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workload=WORKLOADS,
    policy=POLICIES,
    ram=st.integers(16, 600),
    goodput=st.integers(50, 9000),
    size=st.sampled_from([1, 2, 20]),
    seed=st.integers(0, 2**40),
    expect=st.sampled_from(["completes", "gives_up"]),
    repeat=st.integers(1, 2),
)
def test_what_the_model_makes_of_any_scenario_holds(tmp_path: Path, repeat: int, **asked: Any) -> None:
    scenario = tmp_path / "any.yaml"
    scenario.write_text(
        yaml.safe_dump(
            {
                "name": "any",
                "engine": "simulated",
                "seed": asked["seed"],
                "scale": {"size": asked["size"], "time": 1},
                "network": {"vmotion": {"goodput": f"{asked['goodput']}Mbit", "delay": "1ms"}},
                "vm": {"ram": f"{asked['ram']}MiB", "workload": asked["workload"]},
                "migration": {"policy": asked["policy"]},
                "expect": asked["expect"],
            }
        )
    )
    verdict = audit(simulated(tmp_path / "run", scenario, repeat))
    assert [f"{each.migration}: {each.agreement}" for each in verdict.broken] == []
    assert {"held", "not known"} == set(states(verdict).values()) and states(verdict)["model"] == "held"


def rewritten(run: Path, code: str | None) -> Path:
    """A model's migration that took a second longer, as made by that version."""
    summary = json.loads((run / "summary.json").read_text())
    summary["environment"]["code"] = code
    (done,) = summary["migrations"]
    done["total_time_s"] += 1
    done["full_scale"] = {}
    (run / "summary.json").write_text(json.dumps(summary))
    return run


def test_what_the_model_never_made_is_told_where_it_is_the_same_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "code", lambda: "0123abc")
    run = simulated(tmp_path / "run", "hello")
    assert broken(audit(rewritten(run, "0123abc"))) == {"model"}
    for other in (None, "4567def"):
        verdict = audit(rewritten(run, other))
        assert (broken(verdict), states(verdict)["model"]) == (set(), "not known")


def test_a_model_that_takes_too_long_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "LONGEST_S", 1e-4)
    assert states(audit(simulated(tmp_path, "fast-motion")))["model"] == "not known"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.tuples(st.floats(0, 1), st.floats(0.05, 2.0)), min_size=1, max_size=4))
def test_who_was_not_sampled_for_a_while_is_not_accused_of_it(tmp_path: Path, gaps: list[tuple[float, float]]) -> None:
    """A machine that was busy elsewhere: its samples have gaps, wherever they lie, and its events none."""
    files = Files.kept()
    begin, end = files.samples[0]["t"], files.samples[-1]["t"]
    cut = [(begin + place * (end - begin), begin + place * (end - begin) + lasts) for place, lasts in gaps]
    files.samples = [
        row for row in files.samples if row["kind"] == "event" or not any(a < row["t"] < b for a, b in cut)
    ]
    assert [f"{each.agreement}" for each in files.audited(tmp_path / "run").broken] == []


@pytest.mark.parametrize("index", [1, 2])
def test_a_round_that_was_written_down_late_accuses_nobody_whose_samples_were_late_too(
    tmp_path: Path, index: int
) -> None:
    """The run itself had no processor for 0.4 s."""
    files = Files.kept()
    (round_,) = (row for row in files.samples if row.get("event") == "round" and row["round"]["index"] == index + 1)
    begin = round_["t"]
    for row in files.samples:
        if row["t"] >= begin and row["kind"] == "event":
            row["t"] += 0.4
    assert "clock" in broken(files.audited(tmp_path / "busy"))
    files.samples = [row for row in files.samples if row["kind"] == "event" or not begin < row["t"] < begin + 0.4]
    assert "clock" not in broken(files.audited(tmp_path / "waited"))


def test_a_guest_that_stood_still_at_the_end_of_its_time_is_not_accused(tmp_path: Path) -> None:
    """Its own log ends with its last operation, and its rate with that; by the samples it did nothing from then on."""
    files = Files.kept()
    asked = next(row["t"] for row in files.samples if row.get("name") == "migrate")
    guest = [row for row in files.samples if row["kind"] == "guest" and row["host"] == "esx1"]
    stood = [row for row in guest if asked - 0.3 < row["t"] < asked]
    assert len(stood) > 3
    for row in stood:
        row["operations"] = stood[0]["operations"]
    assert "guest" not in broken(files.audited(tmp_path / "run"))
