"""Charts of runs, as Altair objects: a notebook shows them as they are, the page and the figures use the same.

overview, timeline, switchover, grid ── of a run        published ── what others claim        overlay ── of repeats
curves ── of several over time                          sizes ────── what a chart is at the other size
moves ── what plays: memory on its way
"""
