"""``predict`` needs no root and no hosts; its tables are data, on stdout."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from testbed import scenarios
from testbed.cli import main
from testbed.model import interval
from testbed.report import convergence
from testbed.report.words import forecasts
from testbed.scenario import load

Captured = pytest.CaptureFixture[str]


def said(capsys: Captured, *argv: str) -> str:
    assert main(["predict", *argv]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.fixture
def few_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is asked of all but the intervals, and how near a link comes: five are found as sixty are."""
    monkeypatch.setattr(interval, "REPLICAS", 5)
    monkeypatch.setattr(convergence, "STEPS", 3)


@pytest.mark.usefixtures("few_replicas")
def test_what_is_set_of_a_policy_is_set_of_the_one_that_is_asked_for(capsys: Captured) -> None:
    goal = "--set=migration.policy.downtime_goal=5ms"
    among_settings = said(capsys, "hello", "--set=migration.policy=vmotion", goal)
    assert among_settings == said(capsys, "hello", goal, "--policy", "vmotion", "--set=vm.ram=256MB")
    assert among_settings != said(capsys, "hello", "--policy", "vmotion")
    assert main(["predict", "hello", "--policy", "xen", goal]) == 2
    assert "policy 'xen' has no parameter 'downtime_goal'" in capsys.readouterr().err


@pytest.mark.usefixtures("few_replicas")
@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_is_predicted(capsys: Captured, name: str) -> None:
    assert f"{name}: " in said(capsys, name)


def test_both_sizes_the_laws_and_what_was_published(capsys: Captured) -> None:
    out = said(capsys, "fast-motion")
    for words in ("at full size", "closed forms", "published", "2 points: yes", "3 points: yes", "366 s", "45.8 s"):
        assert words in out
    assert "1.500" in out and "40.1 GB" in out, "rho, and the plateau of it"


def test_a_scenario_in_full_size_is_shown_once(capsys: Captured) -> None:
    assert "at full size" not in said(capsys, "hello")


@pytest.mark.usefixtures("few_replicas")
def test_the_feasibility_table_says_never(capsys: Captured) -> None:
    tables = said(capsys, "fast-motion", "--set", "migration.policy=plain").split("downtime goal")
    assert len(tables) == 3, "one for each guest, whatever the links and goals"
    assert tables[1].partition("\n\n")[0].count("never") == 10 and "100 Gbit/s" in tables[1]
    assert "downtime goal" not in said(capsys, "hello", "--set", "migration.policy=xen")


def test_json_holds_the_rounds_the_laws_and_the_tables(capsys: Captured) -> None:
    made = json.loads(said(capsys, "fast-motion", "--json"))
    assert made["scenario"] == "fast-motion" and len(made["migrations"]) == 4
    first = made["migrations"][0]
    assert first["laws"]["rho"] == pytest.approx(1.5) and first["laws"]["linear_time_s"] is None
    assert first["full_scale"]["total_time_s"] == pytest.approx(8 * first["total_time_s"], rel=1e-3)
    assert any("no progress" in each["decision"] for each in first["rounds"])
    assert [each["met"] for each in made["comparisons"]] == [True, True]
    assert {cell["rate"] for cell in made["feasibility"][0]["cells"]} == {1e9, 10e9, 25e9, 40e9, 100e9}


def test_what_is_left_to_chance_is_told_with_its_interval_and_is_the_same_again(
    capsys: Captured, tmp_path: Path
) -> None:
    of_all = scenarios.path_of("policies").read_text(encoding="utf-8").partition("\nmatrix:")[0]
    (tmp_path / "plain.yaml").write_text(of_all.replace("policy: plain", "policy: {name: plain, downtime_goal: 500ms}"))
    chosen = (str(tmp_path / "plain.yaml"),)
    out = said(capsys, *chosen)
    table = out[out.index("left to chance") :].split("\n\n")[0]
    plain = table.strip().splitlines()[-1]
    assert " to " in plain and plain.rstrip().endswith("60 of 60")
    assert out == said(capsys, *chosen) != said(capsys, *chosen, "--seed", "9")
    assert "left to chance" not in said(capsys, "hello", "--set", "vm.workload=idle")
    first = json.loads(said(capsys, *chosen, "--json"))["migrations"][0]
    low, high = first["chance"]["low"], first["chance"]["high"]
    assert low["total_time_s"] < first["total_time_s"] < high["total_time_s"] and low["rounds"] < high["rounds"]


def test_what_is_set_counts(capsys: Captured) -> None:
    made = json.loads(said(capsys, "hello", "--json", "--seed", "7", "--set", "network.vmotion.goodput=1.8Gbit"))
    slow = json.loads(said(capsys, "hello", "--json"))
    assert made["migrations"][0]["total_time_s"] < slow["migrations"][0]["total_time_s"] / 1.9


def test_a_link_without_a_rate_is_one_line(capsys: Captured) -> None:
    assert main(["predict", "hello", "--set", "network.vmotion.goodput=null"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "set network.vmotion.rate" in err


@pytest.mark.usefixtures("few_replicas")
def test_a_migration_that_does_not_complete_says_why_and_what_would_do(capsys: Captured) -> None:
    out = " ".join(said(capsys, "hello", "--set", "vm.workload.write_rate=1Gbit").split())
    assert "hello: it does not complete: at 900 Mbit/s of goodput the guest writes 1.11 times what is sent (rho)" in out
    (rate,) = re.findall(r"a link of some ([0-9.]+ [MG]bit)/s would do for a goal of 50.0 ms", out)
    enough = f"network.vmotion.rate={rate.replace(' ', '')}"
    faster = ("--set", "network.vmotion.goodput=null", "--set", enough, "--set", "vm.workload.write_rate=1Gbit")
    assert "does not complete" not in said(capsys, "hello", *faster)


@pytest.mark.usefixtures("few_replicas")
def test_a_timeout_that_is_too_short_is_what_it_is_told_to_be(capsys: Captured) -> None:
    """It was said that rounds get smaller slowly, and that a link of a fourth of this one's rate would do."""
    out = " ".join(said(capsys, "hello", "--set", "migration.timeout=1s").split())
    assert "hello: it does not end in time: it would take 2.7 s, and its timeout is 1.0 s" in out
    assert "slowly" not in out and "would do" not in out
    rho = " ".join(said(capsys, "hello", "--set=migration.timeout=5s", "--set=vm.workload.write_rate=1Gbit").split())
    assert "it does not end in time: at 900 Mbit/s of goodput the guest writes 1.11 times what is sent (rho)" in rho


def test_a_downtime_above_its_goal_says_why(capsys: Captured) -> None:
    settings = ("migration.policy=deadline", "migration.policy.after=2s", "migration.policy.then=force")
    argv = [word for each in (*settings, "vm.workload.write_rate=1Gbit") for word in ("--set", each)]
    out = " ".join(said(capsys, "hello", *argv).split())
    assert "is above its goal: at 900 Mbit/s of goodput" in out or "it does not complete" in out


@pytest.mark.usefixtures("few_replicas")
def test_never_says_from_which_link_on_it_would_do(capsys: Captured) -> None:
    out = " ".join(said(capsys, "no-convergence").split())
    assert out.count("never: the policy's goal is not reached, whatever time it is given; a link of some") == 4
    made = json.loads(said(capsys, "no-convergence", "--json"))
    assert all("would do" in table["note"] for table in made["feasibility"])
    assert all("rho" in each["why"] for each in made["migrations"])


def test_no_link_at_all_is_said_too(capsys: Captured) -> None:
    argv = (
        "--set",
        "vm.workload.write_rate=90000Gbit",
        "--set",
        "vm.ram=64GiB",
        "--set",
        "vm.workload.working_set=64GiB",
    )
    out = " ".join(said(capsys, "hello", *argv).split())
    assert "no link of up to 400 Gbit/s would do" in out and "the guest writes 2" in out and "times that (rho)" in out


@pytest.mark.usefixtures("few_replicas")
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ("migration.stream_cap=5Mbit",),
            "a goal of 50.0 ms: its streams carry 5.0 Mbit/s there, the guest writes",
        ),
        (
            (
                "network.vmotion.goodput=null",
                "network.vmotion.rate=500Gbit",
                "network.cross_traffic.rate=450Gbit",
                "network.cross_traffic.protocol=udp",
            ),
            "a goal of 50.0 ms: cross traffic takes all of it",
        ),
    ],
    ids=["streams", "cross"],
)
def test_why_nothing_fits_is_said_in_words(capsys: Captured, settings: tuple[str, ...], told: str) -> None:
    out = said(capsys, "hello", *(word for each in settings for word in ("--set", each)))
    assert told in " ".join(out.split())


@pytest.mark.usefixtures("few_replicas")
def test_each_table_has_a_legend_of_its_headings(capsys: Captured) -> None:
    out = " ".join(said(capsys, "fast-motion").split())
    heads = ("total:", "downtime:", "sent/RAM:", "dirty:", "end so:", "rho:", "M/(B-D), rounds, downtime:", "plateau:")
    assert [each for each in (*heads, "In each field: the total time") if each not in out] == []


def test_what_completes_within_its_goal_needs_no_words(capsys: Captured) -> None:
    assert (
        "rho)" not in said(capsys, "hello")
        and json.loads(said(capsys, "hello", "--json"))["migrations"][0]["why"] is None
    )


@pytest.fixture(scope="module")
def fast_motion() -> list[forecasts.Prediction]:
    return [forecasts.predicted(plan) for plan in load("fast-motion").plans()]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_tables_stay_readable_however_narrow(width: int, fast_motion: list[forecasts.Prediction]) -> None:
    """Every word of the wide tables is in the narrow ones, whole, and no line is longer than the terminal."""
    loaded = load("fast-motion")
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False)
    forecasts.show(f"{loaded.name}: {loaded.title}", fast_motion, loaded.published, console)
    lines = file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    for word in ("migration", "ram=128GiB", "goodput=9.4Gbit", "45.8", "published", "difference", "40.1", "3,449"):
        assert word in file.getvalue().replace(":", " ").split(), word
