"""Charts of runs, as Altair objects: a notebook shows them as they are, the page and the figures use the same.

overview, timeline, switchover, grid ── of a run        published ── what others claim        overlay ── of repeats
curves ── of several over time                          theme ────── how all of them look
export ── to files; shown: in a notebook                paper ────── as wide as a column
constant ── rows that need no copies                     sizes ────── what a chart is at the other size
moves ── what plays: memory on its way
"""
