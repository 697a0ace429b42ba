"""How any chart is drawn, whatever it shows.

theme ── how all of them look           constant ── rows that need no copies
export ── to files                      shown, paper ── in a notebook, and as wide as a column
"""
