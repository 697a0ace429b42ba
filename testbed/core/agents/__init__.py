"""What the run and its agents say to each other, as values: ``told`` while they work, ``config`` before.
``phases``: where either may be held, so that something breaks there; ``moments``: what may be planned of that.
``patience``: how long who waits for whom.
"""
