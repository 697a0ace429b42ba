"""What is measured while a migration runs: one thread, one clock, every sample kept.

sampler ─ asks each source: link, tcp, host, guest
"""
