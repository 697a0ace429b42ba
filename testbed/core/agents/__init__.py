"""What the run and its agents say to each other, as values: ``told`` while they work, ``config`` before.
``moments``: where either may be held, so that something breaks there.
"""
