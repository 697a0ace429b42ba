"""A migration on one axis of time: ``timeline`` is what a chart draws, ``bands`` its long series."""
