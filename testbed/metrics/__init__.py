"""What is measured while a migration runs: one thread, one clock, every sample kept."""
