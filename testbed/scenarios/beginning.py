"""What ``testbed new`` writes to begin with: a short scenario with a comment a key, one that there is, or a grid."""

import re

SCHEMA = "scenario.schema.json"
LINE = f"# yaml-language-server: $schema={SCHEMA}"
"""The first line, by which editors find the schema that lies beside the scenario."""
GRID_SCHEMA = "sweep.schema.json"
GRID_LINE = f"# yaml-language-server: $schema={GRID_SCHEMA}"
"""The same of a grid."""
AXIS = "migration.streams"
"""What a grid's points differ in to begin with."""
_WITHOUT = f"matrix: null                          # its own, which sets {AXIS} too\n"
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

GRID = """{line}
# Make its points with:  testbed sweep ./{file}   (--engine simulated: in virtual time, without root)
# Look ahead with:       testbed sweep ./{file} --dry-run
# Every key there is: docs/sweep.md, or Ctrl-Space in an editor that knows YAML's schemas.
extends: {source}
name: {name}
{without}sweep:
  axes:                               # every combination of these values is a point
    {axis}: [1, 2, 4]
    # network.vmotion.goodput: [500Mbit, 900Mbit]
  repeats: 5                          # each time with a seed of its own
  order_seed: 1                       # shuffles the order within a repeat
  # until_ci: 5%                      # more repeats, until the 95 % interval of the total time is that narrow
  # canary: hello                     # made first and again and again: whether the machine is still the same
"""


def grid(name: str, file: str, source: str, *, own_matrix: bool = True) -> str:
    """A grid called ``name`` in ``file`` over the scenario ``source``: a name, or a file by the way from this one.
    Without ``own_matrix`` its points do not run the matrix of that scenario.
    """
    without = "" if own_matrix else _WITHOUT
    return GRID.format(line=GRID_LINE, name=name, file=file, source=source, without=without, axis=AXIS)


def text(name: str, file: str, source: str | None = None) -> str:
    """The scenario called ``name`` in ``file``; with the text of another one as ``source`` that one by a name of its
    own, its comments too.
    """
    if source is None:
        return TEXT.format(line=LINE, name=name, file=file)
    body = _FIRST.sub("", source)
    named, count = _NAME.subn(f"name: {name}", body, count=1)
    return f"{LINE}\n" + (named if count else f"name: {name}\n{body}")
