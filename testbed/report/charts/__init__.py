"""Charts of runs, as Altair objects: a notebook shows them as they are, the page and the figures use the same."""
