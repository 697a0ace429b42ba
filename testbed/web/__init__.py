"""Pages in a browser: a run while it goes on (``run --live``), and all runs of a folder (``serve``).

live ───── the run's end        server_process ─ the page's, without root: messages, hub, app
live_page, browser_events, sections ─ what a browser gets        rehearsal ─ all of it, before root is given up
guard, ticket ─ who may ask     runs, run_list, folder ─ ``serve`` and ``docs``
"""
