"""A value of a matrix's axis as a migration's name, and whoever speaks of it, has it."""

from collections.abc import Mapping
from typing import Any


def label(value: Any) -> str:
    """A value of an axis in a few characters: ``128GiB``; ``uniform,write_rate=1GB/s`` for a mapping; of a list of
    them ``iometer,block=65536+oltp``, ``none`` of an empty one.
    """
    if isinstance(value, Mapping):
        others = [f"{key}={label(part)}" for key, part in value.items() if key != "name"]
        return ",".join([str(value.get("name", "")), *others]).strip(",")
    if isinstance(value, list):
        return "+".join(label(item) for item in value) or "none"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value).replace(" ", "")
