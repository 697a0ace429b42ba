"""What the run and its agents say to each other, as values: ``told`` while they work, ``config`` before."""
