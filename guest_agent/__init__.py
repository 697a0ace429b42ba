"""A process that believes it is a machine: RAM, a program that writes it, and a clock. It knows of no migration.

config ── what it is asked to be               workloads/ ── which page operation n writes
ram ───── layout, the state in page 0          program ───── operations: pure functions of (seed, n)
fill ──── what RAM holds at first              pacing ────── when operation n is due
guest ─── the loop                             journal ───── when operations were completed
server, control ── its socket, both ends       messages ──── what is said there
verify ────────── replay and proof, from outside
"""
