"""Pages in a browser: a run while it goes on (``live``, for ``run --live``), and all runs of a folder (``serve``).

runs, run_list ─ ``serve``    folder ─ files of one: ``serve`` and ``docs``    guard ─ who may ask any of them
"""
