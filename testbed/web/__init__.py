"""Pages in a browser: a run while it goes on (``run --live``), and all runs of a folder (``serve``)."""
