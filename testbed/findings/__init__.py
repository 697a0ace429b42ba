"""What is found out from a migration that was seen: a record, and whether it may be believed.

evidence ─▶ recording ─▶ judging        accounting ─ the bytes        guest_log ─ the guest's own clock
services, reached ─ its applications    blackout, brownout ─ by their clients' clocks
"""
