"""Why a run is believed: from the evidence of one migration to its record, and to the reasons against it.

ended, marks, evidence ─▶ figures ─▶ record ─▶ reasons      accounting ─ the bytes      guest_log ─ by the guest's clock
services, identity ─ the guest's applications      blackout, brownout ─ by their clients' clocks, of their rows

Functions over values: what is read of memory, disks, processes and clocks is read before, by whoever calls.
"""
