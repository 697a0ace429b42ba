"""This project's own agents and guest between emulated hosts.

engine ──── one migration from nothing to nothing     mover ────── our ``Mover``: both agents and their guests
agents ──── their processes                           settling ─── both guests stopped, and one of them let run
following ─ to its end, in whatever way it comes      follower ─── what is to be done, decided over values (deeds)
proof ───── memory against memory                     concluding ─ what comes after the end: evidence, step by step
injecting ─ the faults that a migration is to meet
application_evidence ─ what a guest's applications leave
"""
