"""Many points of one scenario: which there are, made here or elsewhere, and what all of them say together.

grid ───── a scenario with a sweep          points ── each combination as often as it is repeated, by an id
folder ─── what is there is done            making ── one point, here; makers: who does
conduct ── feed: which is next; canaries    state ─── sweep.json; ended: how one ended
estimate ─ how long, and how much room      together  tables, and a page
whole ──── all of that, end to end          shown ─── how far one is, on stderr
asked ──── a grid as Python asks for it     schema ── a grid's, for editors
"""
