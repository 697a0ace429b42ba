"""The page of a run while it goes on, and what makes it: by server-sent events, with buttons.

run_side ─ the run's end        server_process ─ the page's, without root: messages, hub, app
page, browser_events, sections ─ what a browser gets        rehearsal ─ all of it, before root is given up
ticket ─── who may ask
"""
