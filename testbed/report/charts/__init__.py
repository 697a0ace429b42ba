"""Charts of runs, as Altair objects: a notebook shows them as they are, the page and the figures use the same.

overview, timeline, switchover, grid ── of a run        published ── what others claim        overlay ── of repeats
export ── to files; shown: in a notebook, paper: for one               theme ────── how all of them look
constant ── rows that need no copies
"""
