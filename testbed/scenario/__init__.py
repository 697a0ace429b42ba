"""Scenarios: YAML in real-world size, with units, to plain plans at emulated size. The only room that uses pydantic."""

from testbed.scenario.checks import check_fits
from testbed.scenario.scenario import Scenario, load

__all__ = ["Scenario", "check_fits", "load"]
