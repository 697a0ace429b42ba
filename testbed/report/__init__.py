"""What a run leaves behind, for people and for programs: its folder, its tables. Knows no live objects.

words ── in sentences and tables        page ── of one run        side ── of several, side by side
charts ─ as pictures                    axis ── of time           convergence ── why it would not end
"""
