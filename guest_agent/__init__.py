"""A process that believes it is a machine: RAM, a program that writes it, and a clock. It knows of no migration.

config ──── what it is asked to be             workloads/ ── which page operation n writes
memory/ ─── its RAM with the state in page 0, what that holds at first, its program, when operation n is due, the proof
guest ───── what it is and does                loop ──────── its one wait: control, probe, disk, services
gate ────── where it may be stunned            machine ───── what its services stand on: disk, listening, a log
server, control ── its socket, both ends       messages ──── what is said there
services/ ── its applications, a folder each   client/ ───── what all their clients share
ring ────── logs that are read meanwhile       journal ───── its own log, and the words that its host shares
udp_echo ── what answers a probe
"""
