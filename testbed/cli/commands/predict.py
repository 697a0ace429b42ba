"""``predict``: what a scenario's migrations will do, from the same algorithm and policies in virtual time; no root."""

import json as writer
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from testbed.cli.commands.run import default_scenario
from testbed.cli.options import TrustNothing, overrides, own_code, policy_names, scenario_names

if TYPE_CHECKING:
    from testbed.report.words.forecasts import Prediction
    from testbed.scenario import Scenario


def predict(
    scenario: Annotated[
        str | None, typer.Argument(help="name or file; see: testbed list scenarios", autocompletion=scenario_names)
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change a key")] = None,
    policy: Annotated[
        str | None, typer.Option(help="a policy by name, or a file of your own: ./mine.py", autocompletion=policy_names)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="what all randomness begins from")] = None,
    trust_nothing: TrustNothing = False,
    json: Annotated[bool, typer.Option("--json", help="the same as JSON")] = False,
) -> int:
    """Predict a scenario: rounds, times, bytes, closed forms, and which links and goals would do.

    Example: testbed predict fast-motion
    """
    from testbed.report.words import forecasts
    from testbed.scenario import load

    loaded = load(
        scenario or default_scenario(), overrides=overrides(set_, policy), seed=seed, own_code=own_code(trust_nothing)
    )
    predictions = [forecasts.predicted(plan) for plan in loaded.plans()]
    if json:
        sys.stdout.write(writer.dumps(_as_json(loaded, predictions), indent=2) + "\n")
    else:
        forecasts.show(f"{loaded.name}: {loaded.title}", predictions, loaded.published)
    return 0


def _as_json(loaded: "Scenario", predictions: "list[Prediction]") -> dict[str, Any]:
    """All that the tables show, and the rounds; the feasibility tables are of real-world size."""
    from testbed.report.words import forecasts
    from testbed.runfiles.published import comparisons

    records = [each.record for each in predictions]
    return {
        "scenario": loaded.name,
        "migrations": [
            asdict(each.record) | {"chance": asdict(each.chance), "laws": asdict(each.laws), "why": each.why}
            for each in predictions
        ],
        "comparisons": [asdict(each) for each in comparisons(loaded.published, records)],
        "feasibility": [
            {"guest": table.name, "cells": [asdict(cell) for cell in table.cells], "note": table.note}
            for table in forecasts.feasibility_tables(predictions)
        ],
    }
