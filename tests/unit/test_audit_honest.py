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
from tests.unit.audited import broken, states
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
