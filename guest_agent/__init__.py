"""A process that believes it is a machine: RAM, a program that writes it, and a clock. It knows of no migration.

config ── what it is asked to be               workloads/ ── which page operation n writes
memory/ ─ its RAM with the state in page 0, what that holds at first, its program, when operation n is due, the proof
guest ─── the loop                             gate ──────── where it may be stunned, and where not
server, control ── its socket, both ends       messages ──── what is said there
services/ ── its applications, a folder each   machine ───── what they stand on: loop, disk, listening, udp_echo
client/ ──── what all their clients share      ring, journal ── logs; operation_numbers holds one against them
"""
