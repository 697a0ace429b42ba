"""What a run found, told from the files of its folder: in words, tables, charts and pages. Knows no live objects.

words ── in sentences and tables        page ── of one run        side ── of several, side by side
charts ─ as pictures                    axis ── of time           convergence ── why it would not end
"""
