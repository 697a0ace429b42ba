"""Traffic of our own between hosts: a transfer that is measured, other traffic beside a migration, iperf3."""
