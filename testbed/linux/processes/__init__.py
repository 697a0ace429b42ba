"""Processes: started, waited for, stopped, meant and ended; signals, and what may take too long.

module ── a module of ours as a process       child ────── one that is told, heard and ended; lines: what it says
process ─ its state, stop and resume
started ─ which process is meant              pidfd ────── its descriptors
waiting ─ for somebody else's bytes           time_limit ─ what takes too long is ended
caller ── who called sudo                     interrupts ─ signals, where they break off and where not
pace ──── how much of its processors this machine has for us now; virtual: what a host keeps of them, and kept awake
"""
