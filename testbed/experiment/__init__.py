"""A machine that is ours alone for a while, and what is done with it: a matrix of migrations, or a shell.

run ─── every migration of a scenario        session ─ one guest, and somebody who says when it migrates
lock ── one run at a time                    state ─── what a run has started, leftovers: taken away
rootless ─ a machine without root            beside ── others' runs at the same time
machine ─ all of these                       composition ─ scenario, engine, folder and machine put together
environment ─ what it was made on            records ─ a summary begun, a migration that could not begin
apart ─ a run by a process of its own: run_process, which is told and tells messages
"""
