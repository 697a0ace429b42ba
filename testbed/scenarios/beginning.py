"""A scenario to begin with, as ``testbed new`` writes it: a short one with a comment a key, or one that there is."""

import re

SCHEMA = "scenario.schema.json"
LINE = f"# yaml-language-server: $schema={SCHEMA}"
"""The first line, by which editors find the schema that lies beside the scenario."""
_FIRST = re.compile(r"\A(?:\ufeff)?# yaml-language-server:[^\n]*\n")
_NAME = re.compile(r"^name:.*$", re.MULTILINE)
TEXT = """{line}
# Run it with:      testbed run ./{file}        (--engine simulated: in virtual time, without root)
# Look ahead with:  testbed predict ./{file}
# Every key there is: docs/scenario.md, or Ctrl-Space in an editor that knows YAML's schemas.
name: {name}
title: what it shows, in a line
# Sizes, rates and times are those of the real world; rates are divided by size, memory by size x time, times by time.
scale: {{size: 1, time: 1}}
network:
  vmotion: {{goodput: 900Mbit}}        # what the migration gets of the link; or rate: 1Gbit, as the link counts
vm:
  ram: 256MB
  workload:                           # testbed list workloads; testbed list workloads uniform
    name: uniform
    working_set: 64MB                 # the part of its memory that it writes to
    write_rate: 24MB/s
migration:
  policy:                             # testbed list policies; testbed list policies vmotion
    name: vmotion
    downtime_goal: 50ms               # it switches over once what is left takes no longer than this
# Every combination of these values would be one migration:
# matrix:
#   vm.workload.write_rate: [24MB/s, 48MB/s, 96MB/s]
"""


def text(name: str, file: str, source: str | None = None) -> str:
    """The scenario called ``name`` in ``file``; with the text of another one as ``source`` that one by a name of its
    own, its comments too.
    """
    if source is None:
        return TEXT.format(line=LINE, name=name, file=file)
    body = _FIRST.sub("", source)
    named, count = _NAME.subn(f"name: {name}", body, count=1)
    return f"{LINE}\n" + (named if count else f"name: {name}\n{body}")
