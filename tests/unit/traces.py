"""A trace as its readers see it, held against the event format, and what of it must not be."""

import json
from itertools import pairwise
from typing import Any

import jsonschema

from testbed.core.records.migration import Summary
from testbed.exports import trace
from testbed.runfiles.samples import Recording

EVENT = {
    "type": "object",
    "required": ["ph", "pid", "tid", "name"],
    "properties": {
        "ph": {"enum": ["M", "X", "C", "i"]},
        **{name: {"type": "integer", "minimum": 0} for name in ("pid", "tid")},
        **{name: {"type": "number", "minimum": 0} for name in ("ts", "dur")},
        "name": {"type": "string", "minLength": 1},
        "args": {"type": "object"},
        "s": {"enum": ["t", "p", "g"]},
    },
    "additionalProperties": False,
    "allOf": [
        {"if": {"properties": {"ph": {"const": phase}}}, "then": {"required": needed}}
        for phase, needed in (("X", ["ts", "dur"]), ("C", ["ts", "args"]), ("i", ["ts", "s"]), ("M", ["args"]))
    ]
    + [
        {
            "if": {"properties": {"ph": {"const": "C"}}},
            "then": {"properties": {"args": {"additionalProperties": {"type": "number"}}}},
        }
    ],
}
TRACE = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "traceEvents": {"type": "array", "items": EVENT},
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}
"""The Trace Event Format, as far as we write it."""


def events_of(summary: Summary, recordings: list[Recording]) -> list[dict[str, Any]]:
    text, _ = trace.text(summary, recordings)
    document = json.loads(text)
    jsonschema.Draft202012Validator(TRACE).validate(document)
    found: list[dict[str, Any]] = document["traceEvents"]
    return found


def overlapping(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Slices of one track that do not nest: readers show those wrongly."""
    found = []
    for track in {(each["pid"], each["tid"]) for each in events}:
        ours = [each for each in events if each["ph"] == "X" and (each["pid"], each["tid"]) == track]
        ours.sort(key=lambda each: each["ts"])
        found += [(a["name"], b["name"]) for a, b in pairwise(ours) if round(a["ts"] + a["dur"] - b["ts"], 3) > 0]
    return found
